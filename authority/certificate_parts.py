"""What the certificate profiles have in common: references to the issuer, key usage, periods (RFC 5280 section 4)."""

from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from authority import oids
from authority.errors import ProfileError
from authority.issue import Draft, load_public_key

EMBEDDED = x509.ObjectIdentifier(oids.EMBEDDED_POLICY)

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """URLs that a certificate names: the issuer's revocation list, its OCSP responder, its certificate (DER).

    RFC 5280 4.2.1.13 and 4.2.2.1; one that is None is left out.
    """

    crl: str
    ocsp: str | None = None
    issuer: str | None = None


def references(issuer: x509.Certificate, public_key: bytes, places: Places) -> list[tuple[x509.ExtensionType, bool]]:
    """What ties a certificate to its issuer: both key identifiers, policy, revocation list, OCSP, issuer's file."""
    issuer_key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    list_place = x509.DistributionPoint([x509.UniformResourceIdentifier(places.crl)], None, None, None)
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectKeyIdentifier.from_public_key(load_public_key(public_key)), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), False),
        (x509.CertificatePolicies([x509.PolicyInformation(EMBEDDED, None)]), False),
        (x509.CRLDistributionPoints([list_place]), False),
    ]
    access = _access(places)
    return [*found, (x509.AuthorityInformationAccess(access), False)] if access else found


def key_usage(*allowed: str) -> x509.KeyUsage:
    """The usage that allows exactly these, by the names of ``cryptography``."""
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def check_within(issuer: x509.Certificate, draft: Draft) -> None:
    """Raises :class:`ProfileError` unless the period of ``draft`` is within the issuer's and not empty."""
    if draft.not_after - draft.not_before < timedelta(seconds=1):
        raise ProfileError(
            "period-empty",
            f"证书有效期 {draft.not_before:%F %T%z} 至 {draft.not_after:%F %T%z} 为空",
            f"the period {draft.not_before:%F %T%z} to {draft.not_after:%F %T%z} is empty",
        )
    first, last = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    if draft.not_before < first or draft.not_after > last:
        raise ProfileError(
            "beyond-issuer",
            f"证书有效期 {draft.not_before:%F %T%z} 至 {draft.not_after:%F %T%z}"
            f" 超出签发者证书的 {first:%F %T%z} 至 {last:%F %T%z}",
            f"the period {draft.not_before:%F %T%z} to {draft.not_after:%F %T%z} goes beyond"
            f" the issuer's, {first:%F %T%z} to {last:%F %T%z}",
        )


def _access(places: Places) -> list[x509.AccessDescription]:
    methods = (
        (AuthorityInformationAccessOID.OCSP, places.ocsp),
        (AuthorityInformationAccessOID.CA_ISSUERS, places.issuer),
    )
    return [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in methods
        if url is not None
    ]
