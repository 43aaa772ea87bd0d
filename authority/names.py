"""Distinguished names of the embedded authority and of the seals."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from authority.binding import SealBinding
from authority.errors import ProfileError

COUNTRY = "CN"
_LONGEST_COMMON_NAME = 64  # bytes of UTF-8: what RFC 5280's ub-common-name means to the strictest readers
_LONGEST_ORGANIZATION = 64  # characters, RFC 5280 appendix A, ub-organization-name


def authority_name(name: str) -> x509.Name:
    """C and CN of an issuing authority. Raises :class:`ProfileError` if ``name`` does not fit the CN."""
    if not 1 <= len(name.encode()) <= _LONGEST_COMMON_NAME:
        raise ProfileError(
            "name-length",
            f"机构名称 {name!r} 为 {len(name.encode())} 字节，应为 1 至 {_LONGEST_COMMON_NAME} 字节",
            f"the name {name!r} has {len(name.encode())} bytes, expected 1 to {_LONGEST_COMMON_NAME}",
        )
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, COUNTRY),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def seal_subject(*, seal_name: str, seal_number: int, grantor_name: str, grantor_code: str) -> x509.Name:
    """C, O = grantor, organizationIdentifier = its code, CN = seal name.

    A seal name of more than 64 bytes does not fit the CN: then the CN is the seal's number, and the
    whole name stands in the seal extension. The code has the form ``NTRCN-<code>`` of ETSI EN
    319 412-1 section 5.1.4. Raises :class:`ProfileError`.
    """
    if not 1 <= len(grantor_name) <= _LONGEST_ORGANIZATION:
        raise ProfileError(
            "name-length",
            f"单位名称 {grantor_name!r} 为 {len(grantor_name)} 字，应为 1 至 {_LONGEST_ORGANIZATION} 字",
            f"the organ's name {grantor_name!r} has {len(grantor_name)} characters,"
            f" expected 1 to {_LONGEST_ORGANIZATION}",
        )
    fits = len(seal_name.encode()) <= _LONGEST_COMMON_NAME
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, COUNTRY),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, grantor_name),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTR{COUNTRY}-{grantor_code}"),
            x509.NameAttribute(NameOID.COMMON_NAME, seal_name if fits else str(seal_number)),
        ]
    )


def bound_subject(binding: SealBinding, grantor_name: str) -> x509.Name:
    """:func:`seal_subject` of the seal that ``binding`` describes. Raises :class:`ProfileError`."""
    return seal_subject(
        seal_name=binding.seal_name,
        seal_number=binding.seal_number,
        grantor_name=grantor_name,
        grantor_code=binding.grantor_code,
    )
