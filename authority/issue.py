"""Certificates signed by a key that is only a handle: build, sign through a permit, assemble, check.

The builders of ``cryptography`` want a private key, which a keystore never gives. So the frame
(TBSCertificate) is built with asn1crypto, while names and extension values come encoded from
``cryptography``; no throw-away key is needed, and what was signed is exactly what was built.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import algos, core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from authority.errors import IssuedSignatureError, ProfileError
from keystore.interface import Grounds, Permit, SigningKey

# What may sign certificates, lists and requests: what PDF readers and openssl check alike.
SIGNATURE_ALGORITHMS = {"ecdsa-p256-sha256": "sha256_ecdsa", "rsa3072-sha256": "sha256_rsa"}

CertifiedKey = EllipticCurvePublicKey | RSAPublicKey
_SMALLEST_RSA = 3072
_LAST_UTC_TIME_YEAR = 2049  # RFC 5280 4.1.2.5: later years are GeneralizedTime
_MOST_SERIAL = 2**159  # RFC 5280 4.1.2.2: positive, at most 20 octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A certificate before it is signed. Times are whole seconds, UTC."""

    serial: int
    issuer: x509.Name
    subject: x509.Name
    public_key: bytes  # SubjectPublicKeyInfo, DER
    not_before: datetime
    not_after: datetime
    extensions: Sequence[tuple[x509.ExtensionType, bool]]  # value, critical


def new_serial() -> int:
    """A random positive serial of 128 bits (RFC 5280 4.1.2.2 allows 20 octets)."""
    return 1 << 127 | secrets.randbits(127)


def load_public_key(public_key: bytes) -> CertifiedKey:
    """The key in ``public_key`` (SubjectPublicKeyInfo, DER), if it may be certified.

    Raises :class:`ProfileError` for anything but P-256 and RSA of at least 3072 bits.
    """
    try:
        key = load_der_public_key(public_key)
    except (ValueError, TypeError) as problem:
        raise ProfileError("public-key", "公钥无法读取", "the public key cannot be read") from problem
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPublicKey) and key.key_size >= _SMALLEST_RSA:
        return key
    raise ProfileError(
        "public-key",
        f"公钥类型为 {type(key).__name__}，应为 P-256 或不少于 {_SMALLEST_RSA} 位的 RSA",
        f"the public key is a {type(key).__name__}, expected P-256 or RSA of at least {_SMALLEST_RSA} bits",
    )


def check_certifies(key: SigningKey) -> None:
    """Raises :class:`ProfileError` unless ``key`` was made for an authority."""
    if key.purpose != "ca":
        raise ProfileError(
            "key-purpose",
            f"密钥 {key.ref} 的用途为 {key.purpose}，应为 ca",
            f"key {key.ref} is for {key.purpose}, expected ca",
        )


def check_signs_for(certificate: x509.Certificate, key: SigningKey) -> None:
    """Raises :class:`ProfileError` unless ``key`` is a CA key and the one ``certificate`` names."""
    check_certifies(key)
    named = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if named != key.public_key:
        raise ProfileError(
            "issuer-key",
            f"密钥 {key.ref} 与签发者证书中的公钥不符",
            f"key {key.ref} is not the one that the issuer's certificate names",
        )


def signature_algorithm(key: SigningKey) -> algos.SignedDigestAlgorithm:
    """The AlgorithmIdentifier of ``key``: RSA with NULL parameters, ECDSA with none (RFC 4055, RFC 5758)."""
    name = SIGNATURE_ALGORITHMS.get(key.algorithm)
    if name is None:
        raise ProfileError(
            "signature-algorithm",
            f"密钥 {key.ref} 的算法为 {key.algorithm}，应为 {'、'.join(SIGNATURE_ALGORITHMS)} 之一",
            f"key {key.ref} signs with {key.algorithm}, expected one of {', '.join(SIGNATURE_ALGORITHMS)}",
        )
    return algos.SignedDigestAlgorithm({"algorithm": name})


def issue(
    draft: Draft, key: SigningKey, issuer: x509.Certificate | None, grounds: Grounds | None = None
) -> x509.Certificate:
    """Sign ``draft`` with one use of ``key`` and check the result against ``issuer`` (None: itself).

    ``grounds`` are what a key that checks for itself is shown.

    Raises :class:`ProfileError` before the key is used, :class:`IssuedSignatureError` after it, and what
    the key raises.
    """
    algorithm = signature_algorithm(key)
    frame = _frame(draft, algorithm)
    to_be_signed: bytes = frame.dump()
    signature = key.sign(Permit.to_sign(key, to_be_signed, grounds), to_be_signed)
    whole = asn1.Certificate({"tbs_certificate": frame, "signature_algorithm": algorithm, "signature_value": signature})
    certificate = x509.load_der_x509_certificate(whole.dump())
    try:
        certificate.verify_directly_issued_by(issuer or certificate)
    except (InvalidSignature, ValueError, TypeError) as problem:
        raise wrong_signature(key) from problem
    return certificate


def wrong_signature(key: SigningKey) -> IssuedSignatureError:
    """For a signature that the public key of ``key`` does not verify."""
    return IssuedSignatureError(
        "issued-signature",
        f"密钥 {key.ref} 给出的签名无法用其公钥验证，未予采用",
        f"the signature that key {key.ref} gave does not verify with its public key and was dropped",
    )


def _frame(draft: Draft, algorithm: algos.SignedDigestAlgorithm) -> asn1.TbsCertificate:
    if not 0 < draft.serial < _MOST_SERIAL:
        raise ProfileError("serial", "证书序列号应为不超过 20 字节的正整数", "a serial is positive, at most 20 octets")
    return asn1.TbsCertificate(
        {
            "version": "v3",
            "serial_number": draft.serial,
            "signature": algorithm,
            "issuer": asn1.Name.load(draft.issuer.public_bytes()),
            "validity": {
                "not_before": encode_time(draft.not_before),
                "not_after": encode_time(draft.not_after),
            },
            "subject": asn1.Name.load(draft.subject.public_bytes()),
            "subject_public_key_info": asn1.PublicKeyInfo.load(draft.public_key),
            "extensions": [encode_extension(value, critical=critical) for value, critical in draft.extensions],
        }
    )


def encode_time(time: datetime) -> asn1.Time:
    """Whole seconds in UTC, in the form that RFC 5280 4.1.2.5 asks for its year.

    Raises :class:`ProfileError` for a time without a zone, which would mean another moment on each host.
    """
    if time.tzinfo is None:
        raise ProfileError("naive-time", f"时间 {time} 未注明时区", f"the time {time} has no time zone")
    whole = time.astimezone(UTC).replace(microsecond=0)
    form = "utc_time" if whole.year <= _LAST_UTC_TIME_YEAR else "general_time"
    return asn1.Time({form: whole})


def encode_extension(value: x509.ExtensionType, *, critical: bool) -> dict[str, object]:
    """An Extension as asn1crypto takes it, with the value as ``cryptography`` encodes it."""
    encoded = core.ParsableOctetString(value.public_bytes())
    return {"extn_id": value.oid.dotted_string, "critical": critical, "extn_value": encoded}
