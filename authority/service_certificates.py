"""Certificates of the service's own keys: OCSP responder, time-stamp unit, and the seal on verification reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from authority import oids
from authority.certificate_parts import Places, check_within, key_usage, references
from authority.errors import ProfileError
from authority.issue import Draft, check_signs_for, issue
from authority.names import authority_name
from keystore.interface import Grounds, SigningKey

Service = Literal["ocsp", "timestamp", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the certificate of one service says. ``life`` is the longest; the issuer's end may come first."""

    name: str
    life: timedelta
    usages: tuple[str, ...]
    extended: x509.ObjectIdentifier
    critical: bool
    further: tuple[x509.ExtensionType, ...] = ()


PROFILES: Final[Mapping[Service, Profile]] = {
    # RFC 6960 4.2.2.2: delegated, and nobody asks whether the responder itself was revoked, so its life is short.
    "ocsp": Profile(
        name="印信吊销查询（未获许可） Yinxin OCSP responder",
        life=timedelta(days=14),
        usages=("digital_signature",),
        extended=ExtendedKeyUsageOID.OCSP_SIGNING,
        critical=False,
        further=(x509.OCSPNoCheck(),),
    ),
    # RFC 3161 2.3: one purpose, critical. Long, because a token that nobody renewed lapses with this certificate.
    "timestamp": Profile(
        name="印信时间戳（未获许可） Yinxin time-stamp unit",
        life=timedelta(days=6 * 365),
        usages=("digital_signature", "content_commitment"),
        extended=ExtendedKeyUsageOID.TIME_STAMPING,
        critical=True,
    ),
    # RFC 9336; like a seal's certificate, without a seal binding: it seals reports and nothing else.
    "report": Profile(
        name="印信核验专用章（未获许可） verification seal",
        life=timedelta(days=3 * 365),
        usages=("digital_signature", "content_commitment"),
        extended=x509.ObjectIdentifier(oids.DOCUMENT_SIGNING),
        critical=False,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDraft:
    """A service certificate that is to be made. ``public_key`` is SubjectPublicKeyInfo, DER; times are aware."""

    service: Service
    public_key: bytes
    serial: int
    not_before: datetime
    not_after: datetime


def make_service_certificate(
    issuer_cert: x509.Certificate,
    issuer_key: SigningKey,
    wanted: ServiceDraft,
    *,
    places: Places,
    grounds: Grounds | None = None,
) -> x509.Certificate:
    """The certificate that ``wanted`` describes, signed with one use of ``issuer_key``.

    ``places`` say where this issuer's answers are found; ``grounds`` as of every certificate. Raises
    :class:`ProfileError` (also for a life
    beyond the profile's or the issuer's), :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    check_signs_for(issuer_cert, issuer_key)
    profile = PROFILES[wanted.service]
    draft = Draft(
        serial=wanted.serial,
        issuer=issuer_cert.subject,
        subject=authority_name(profile.name),
        public_key=wanted.public_key,
        not_before=wanted.not_before.replace(microsecond=0),
        not_after=wanted.not_after.replace(microsecond=0),
        extensions=[
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (key_usage(*profile.usages), True),
            (x509.ExtendedKeyUsage([profile.extended]), profile.critical),
            *references(issuer_cert, wanted.public_key, places),
            *((each, False) for each in profile.further),
        ],
    )
    _check_life(draft, profile)
    check_within(issuer_cert, draft)
    return issue(draft, issuer_key, issuer_cert, grounds)


def _check_life(draft: Draft, profile: Profile) -> None:
    life = draft.not_after - draft.not_before
    if life > profile.life:
        raise ProfileError(
            "service-life",
            f"服务证书有效期为 {life}，最长 {profile.life}",
            f"the service certificate would hold for {life}, at most {profile.life} is allowed",
        )
