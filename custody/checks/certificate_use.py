"""A certificate that is to be signed: the one an entry of the log foresaw, with its profile and nothing more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority import oids
from authority.binding import read_binding
from authority.certificate_parts import EMBEDDED, key_usage
from authority.errors import AuthorityError
from authority.service_certificates import PROFILES
from custody.checks.consent import check_about, check_consent, unserved
from custody.checks.refusal import refuse, refuse_unless
from custody.checks.revocation_list import NEAR, key_identifier
from custody.checks.shown_entry import ShownEntry, log_identity, shown_entry, unused
from custody.checks.unsigned import UNREADABLE, unsigned_certificate
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue
from ledger.signed_note import SPKI_ED25519

SEAL_CERTIFICATE, SERVICE_CERTIFICATE = "certificate.intended", "service_certificate.intended"
CHANGE: Final = "change_agreement"
LONGEST_SEAL: Final = timedelta(days=10 * 366)
"""No seal's certificate outlives an issuer's."""
_REFERENCES = {x509.CRLDistributionPoints.oid, x509.AuthorityInformationAccess.oid}
"""Extensions whose places the operator chooses."""

Extensions = Mapping[x509.ObjectIdentifier, tuple[x509.ExtensionType, bool]]
"""By kind: the value, and whether it is critical."""


def check_certificate(request: UseRequest, state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a certificate that may be signed. Refuses any other."""
    certificate = unsigned_certificate(request)
    try:
        found = {each.oid: (each.value, each.critical) for each in certificate.extensions}
        public_key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (*UNREADABLE, x509.UnsupportedGeneralNameType) as error:
        refuse(f"证书不可读（{type(error).__name__}）", f"the certificate cannot be read ({type(error).__name__})")
    basic = found.get(x509.BasicConstraints.oid)
    if basic is not None and isinstance(basic[0], x509.BasicConstraints) and basic[0].ca:
        return _authority(request, state, certificate, public_key)
    intent = shown_entry(request, state, "intent", kinds=(SEAL_CERTIFICATE, SERVICE_CERTIFICATE))
    unused(intent, request, state)
    _check_intended(state, intent, certificate, public_key)
    _check_extensions(found, request, intent, public_key)
    about: dict[str, JsonValue] = {
        "form": "certificate",
        "intent": intent.leaf.id,
        "entry": intent.index,
        "serial": f"{certificate.serial_number:x}",
    }
    if intent.leaf.kind == SEAL_CERTIFICATE:
        _check_binding(state, intent, certificate)
        about |= {"consent": _consent(request, state, intent, now), "certified": _certified(intent)}
    _check_period(intent, certificate, now)
    return about


def _authority(
    request: UseRequest, state: CheckState, certificate: x509.Certificate, public_key: bytes
) -> dict[str, JsonValue]:
    """Root and issuer are made before the log has a checkpoint, and never again; both for keys that are here."""
    refuse_unless(
        state.last("log") is None,
        "已有检查点，不再签发机构证书",
        "the log has a checkpoint: no authority is certified any more",
    )
    own = public_key == request.public_key
    refuse_unless(
        own or public_key in {each.public_key for each in state.generated("ca")},
        "机构证书的密钥不是本进程的机构密钥",
        "the certificate is for a key that is no authority's key of this process",
    )
    return {"form": "root" if own else "issuer", "serial": f"{certificate.serial_number:x}"}


def _check_intended(state: CheckState, intent: ShownEntry, certificate: x509.Certificate, public_key: bytes) -> None:
    wanted, serial = intent.group("certificate"), f"{certificate.serial_number:x}"
    refuse_unless(
        wanted.get("serial") == serial,
        f"证书序列号为 {serial}，意向为 {wanted.get('serial')}",
        f"the certificate has the serial {serial}, intended was {wanted.get('serial')}",
    )
    purpose = _purpose(intent)
    held = [each for each in state.generated(purpose) if each.ref == wanted.get("key")]
    refuse_unless(
        bool(held) and held[0].public_key == public_key,
        f"证书的公钥不是意向所指的密钥 {wanted.get('key')}（用途 {purpose}）",
        f"the certificate is not for the intended key {wanted.get('key')} of the purpose {purpose}",
    )


def _consent(request: UseRequest, state: CheckState, intent: ShownEntry, now: datetime) -> str:
    """Two persons wanted a certificate for this seal; an amendment is for each seal of its agreement once."""
    wanted = intent.group("certificate")
    proposal, action, content = check_consent(request, state, now, actions=("issue_seal", "rotate_key", CHANGE))
    if action == "rotate_key":
        check_about(content, seal=wanted.get("seal"))
    elif action == CHANGE:
        told = {name: wanted.get(name) for name in ("agreement", "terms_digest")}
        check_about(content, change="bring_into_force", **told)
        proposal = f"{proposal} {wanted.get('seal')}"
    else:
        check_about(content, agreement=wanted.get("agreement"))
    if "algorithm" in content:
        made = [each.algorithm for each in state.generated("seal") if each.ref == wanted.get("key")]
        check_about(content, algorithm=made[0])
    unserved(proposal, request, state)
    return proposal


def _certified(intent: ShownEntry) -> str:
    """For which seal which key was certified, as the end of the key is judged by."""
    wanted = intent.group("certificate")
    return f"{wanted.get('seal')} {wanted.get('key')}"


def _purpose(intent: ShownEntry) -> Any:  # noqa: ANN401  one of the keystore's purposes
    if intent.leaf.kind == SEAL_CERTIFICATE:
        return "seal"
    purpose = intent.group("certificate").get("purpose")
    refuse_unless(purpose in PROFILES, f"没有服务用途 {purpose}", f"there is no service {purpose}")
    return purpose


def _check_extensions(found: Extensions, request: UseRequest, intent: ShownEntry, public_key: bytes) -> None:
    expected = _expected(request, intent, public_key)
    others = _REFERENCES | ({_BINDING} if intent.leaf.kind == SEAL_CERTIFICATE else set())
    different = [
        oid.dotted_string
        for oid in found.keys() | expected.keys() | others
        if (found.get(oid) != expected[oid] if oid in expected else oid not in others or oid not in found)
    ]
    refuse_unless(
        not different,
        f"证书的扩展与其用途不符：{'、'.join(sorted(different))}",
        f"the extensions are not those of the profile; different: {', '.join(sorted(different))}",
    )


_BINDING = x509.ObjectIdentifier(oids.SEAL_BINDING)


def _expected(request: UseRequest, intent: ShownEntry, public_key: bytes) -> Extensions:
    purpose = _purpose(intent)
    profile = PROFILES.get(purpose)
    usages = profile.usages if profile else ("digital_signature", "content_commitment")
    extended = profile.extended if profile else x509.ObjectIdentifier(oids.DOCUMENT_SIGNING)
    values: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (key_usage(*usages), True),
        (x509.ExtendedKeyUsage([extended]), bool(profile and profile.critical)),
        (x509.SubjectKeyIdentifier(key_identifier(public_key)), False),
        (x509.AuthorityKeyIdentifier(key_identifier(request.public_key), None, None), False),
        (x509.CertificatePolicies([x509.PolicyInformation(EMBEDDED, None)]), False),
        *((each, False) for each in (profile.further if profile else ())),
    ]
    return {value.oid: (value, critical) for value, critical in values}


def _check_binding(state: CheckState, intent: ShownEntry, certificate: x509.Certificate) -> None:
    """The certificate sends every verifier to this log, and to the terms that were intended."""
    log = log_identity(state)
    try:
        binding = read_binding(certificate)
    except AuthorityError as error:
        refuse(error.zh, error.en)
    key_hash = "sha256:" + sha256(SPKI_ED25519 + log.public_key).hexdigest()
    expected = (intent.group("certificate").get("terms_digest"), log.origin, key_hash)
    refuse_unless(
        binding is not None and (binding.terms_digest, binding.log_origin, binding.log_key_hash) == expected,
        "证书所指的协议文本或台账与意向不符",
        "the certificate names other terms, or another log, than was intended",
    )


def _check_period(intent: ShownEntry, certificate: x509.Certificate, now: datetime) -> None:
    profile = PROFILES.get(_purpose(intent))
    longest = profile.life if profile else LONGEST_SEAL
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    refuse_unless(
        abs(begins - now) <= NEAR and begins < ends <= begins + longest,
        f"证书有效期 {begins:%F %T} 至 {ends:%F %T} 不合规；应自现在起，最长 {longest.days} 天",
        f"the certificate holds from {begins:%F %T} to {ends:%F %T}; expected from now, {longest.days} days at most",
    )
