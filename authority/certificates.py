"""The three certificates of the embedded authority: root, issuer, seal (profiles after RFC 5280)."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from authority import oids
from authority.binding import SealBinding
from authority.certificate_parts import EMBEDDED, Places, check_within, key_usage, references
from authority.errors import UNREADABLE, ProfileError
from authority.issue import Draft, check_certifies, check_signs_for, issue, load_public_key, new_serial
from authority.names import authority_name, bound_subject
from keystore.interface import Grounds, SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From when to when a seal certificate holds, and when the agreement behind it ends. Aware times."""

    not_before: datetime
    not_after: datetime
    agreement_ends: datetime


def make_root(key: SigningKey, name: str, *, now: datetime, years: int = 20) -> x509.Certificate:
    """A self-signed root that may certify issuers, not chains of them.

    ``name`` becomes the CN, ``key`` has the purpose ``ca``. Raises :class:`ProfileError`,
    :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    subject = authority_name(name)
    public_key = load_public_key(key.public_key)
    key_id = x509.SubjectKeyIdentifier.from_public_key(public_key)
    draft = Draft(
        serial=new_serial(),
        issuer=subject,
        subject=subject,
        public_key=key.public_key,
        not_before=now.replace(microsecond=0),
        not_after=_years_later(now, years),
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=1), True),
            (key_usage("key_cert_sign", "crl_sign"), True),
            (key_id, False),
        ],
    )
    check_certifies(key)
    return issue(draft, key, None)


def make_issuer(
    root_cert: x509.Certificate,
    root_key: SigningKey,
    *,
    issuer_public_key: bytes,
    name: str,
    now: datetime,
    places: Places,
    years: int = 10,
) -> x509.Certificate:
    """The certificate of the authority that issues seal certificates; it may not certify authorities.

    ``places`` say where the root's list and certificate are found. Raises :class:`ProfileError` (also if it would
    outlive the root), :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    check_signs_for(root_cert, root_key)
    draft = Draft(
        serial=new_serial(),
        issuer=root_cert.subject,
        subject=authority_name(name),
        public_key=issuer_public_key,
        not_before=now.replace(microsecond=0),
        not_after=_years_later(now, years),
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (key_usage("key_cert_sign", "crl_sign"), True),
            *references(root_cert, issuer_public_key, places),
        ],
    )
    check_within(root_cert, draft)
    return issue(draft, root_key, root_cert)


def make_seal_certificate(  # noqa: PLR0913  a certificate says that much, and each part has another source
    issuer_cert: x509.Certificate,
    issuer_key: SigningKey,
    seal_public_key: bytes,
    binding: SealBinding,
    *,
    grantor_name: str,
    period: Period,
    places: Places,
    serial: int,
    grounds: Grounds | None = None,
) -> x509.Certificate:
    """A seal's certificate: O = grantor, CN = seal name, ``binding`` as an extension.

    ``serial`` comes from :func:`authority.issue.new_serial`, so that the caller can record its intent
    before the key is used. ``places`` say where this issuer's answers are found; ``grounds`` show the
    intent to a key that checks for itself. Raises
    :class:`ProfileError` (also for a period beyond the agreement's or the issuer's),
    :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    check_signs_for(issuer_cert, issuer_key)
    draft = Draft(
        serial=serial,
        issuer=issuer_cert.subject,
        subject=bound_subject(binding, grantor_name),
        public_key=seal_public_key,
        not_before=period.not_before.replace(microsecond=0),
        not_after=period.not_after.replace(microsecond=0),
        extensions=[
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (key_usage("digital_signature", "content_commitment"), True),
            # Not critical, as RFC 9336 asks for readers that do not know the purpose.
            (x509.ExtendedKeyUsage([x509.ObjectIdentifier(oids.DOCUMENT_SIGNING)]), False),
            *references(issuer_cert, seal_public_key, places),
            # Not critical: readers that do not know us must still be able to accept the certificate.
            (x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.SEAL_BINDING), binding.to_der()), False),
        ],
    )
    _check_agreement(period)
    check_within(issuer_cert, draft)
    return issue(draft, issuer_key, issuer_cert, grounds)


def is_embedded(certificate: x509.Certificate) -> bool:
    """Whether an embedded, unlicensed authority issued ``certificate`` (by its policy extension)."""
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return any(policy.policy_identifier == EMBEDDED for policy in policies)


def _years_later(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year + years, microsecond=0)
    except ValueError:  # 29 February in a common year
        return now.replace(year=now.year + years, day=28, microsecond=0)


def _check_agreement(period: Period) -> None:
    if period.not_after > period.agreement_ends:
        raise ProfileError(
            "beyond-agreement",
            f"证书有效期止于 {period.not_after:%F %T%z}，不得晚于协议期限 {period.agreement_ends:%F %T%z}",
            f"the certificate would end {period.not_after:%F %T%z},"
            f" after the agreement does ({period.agreement_ends:%F %T%z})",
        )
