"""The three certificates of the embedded authority: root, issuer, seal (profiles after RFC 5280)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from authority import oids
from authority.binding import SealBinding
from authority.errors import UNREADABLE, ProfileError
from authority.issue import Draft, check_certifies, check_signs_for, issue, load_public_key, new_serial
from authority.names import authority_name, bound_subject
from keystore.interface import SigningKey

_EMBEDDED = x509.ObjectIdentifier(oids.EMBEDDED_POLICY)


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
            (_key_usage("key_cert_sign", "crl_sign"), True),
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
    crl_url: str,
    years: int = 10,
) -> x509.Certificate:
    """The certificate of the authority that issues seal certificates; it may not certify authorities.

    ``crl_url`` is where the root's revocation list is found. Raises :class:`ProfileError` (also if it
    would outlive the root), :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
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
            (_key_usage("key_cert_sign", "crl_sign"), True),
            *_references(root_cert, issuer_public_key, crl_url),
        ],
    )
    _check_within(root_cert, draft)
    return issue(draft, root_key, root_cert)


def make_seal_certificate(
    issuer_cert: x509.Certificate,
    issuer_key: SigningKey,
    seal_public_key: bytes,
    binding: SealBinding,
    *,
    grantor_name: str,
    period: Period,
    crl_url: str,
    serial: int,
) -> x509.Certificate:
    """A seal's certificate: O = grantor, CN = seal name, ``binding`` as an extension.

    ``serial`` comes from :func:`authority.issue.new_serial`, so that the caller can record its intent
    before the key is used. ``crl_url`` is where this issuer's revocation list is found. Raises
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
            (_key_usage("digital_signature", "content_commitment"), True),
            # Not critical, as RFC 9336 asks for readers that do not know the purpose.
            (x509.ExtendedKeyUsage([x509.ObjectIdentifier(oids.DOCUMENT_SIGNING)]), False),
            *_references(issuer_cert, seal_public_key, crl_url),
            # Not critical: readers that do not know us must still be able to accept the certificate.
            (x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.SEAL_BINDING), binding.to_der()), False),
        ],
    )
    _check_agreement(period)
    _check_within(issuer_cert, draft)
    return issue(draft, issuer_key, issuer_cert)


def is_embedded(certificate: x509.Certificate) -> bool:
    """Whether an embedded, unlicensed authority issued ``certificate`` (by its policy extension)."""
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return any(policy.policy_identifier == _EMBEDDED for policy in policies)


def _references(issuer: x509.Certificate, public_key: bytes, crl_url: str) -> list[tuple[x509.ExtensionType, bool]]:
    """What ties a certificate to its issuer: both key identifiers, policy, revocation list."""
    issuer_key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    place = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
    return [
        (x509.SubjectKeyIdentifier.from_public_key(load_public_key(public_key)), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), False),
        (x509.CertificatePolicies([x509.PolicyInformation(_EMBEDDED, None)]), False),
        (x509.CRLDistributionPoints([place]), False),
    ]


def _key_usage(*allowed: str) -> x509.KeyUsage:
    usages = (
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
    return x509.KeyUsage(**{usage: usage in allowed for usage in usages})


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


def _check_within(issuer: x509.Certificate, draft: Draft) -> None:
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
