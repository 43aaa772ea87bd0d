"""Reads a time-stamp token from an untrusted hand: RFC 3161, RFC 5816, EN 319 422.

A token that can be read was signed by the certificate it names. Whether that certificate leads to a root anybody
trusts is another question: :mod:`authority.chain`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import new as new_hash

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from authority.errors import UNREADABLE, SignatureValueError, SignedDataError, TimeStampTokenError
from authority.signature_value import HASHES
from authority.signed_data import MALFORMED, Signed, check_der, read_signed, weak_digest

LONGEST = 256 * 1024
"""Bytes; a token with a whole chain has about 10,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStampToken:
    """What the authority ``signer`` said: bytes with the digest ``imprint`` by ``algorithm`` were there at ``time``.

    ``accuracy`` is how far the time may be off, None where the authority does not tell. ``weak`` names what in it
    nothing new may rest on (SHA-1). ``certificates`` are those beside the signature, the signer's left out.
    """

    der: bytes
    time: datetime
    accuracy: timedelta | None
    serial: int
    policy: str
    algorithm: str
    imprint: bytes
    nonce: int | None
    signer: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    weak: tuple[str, ...]

    def covers(self, data: bytes) -> bool:
        """Whether the token is over ``data``."""
        return new_hash(self.algorithm, data).digest() == self.imprint


def read_token(der: bytes) -> TimeStampToken:
    """The token in ``der`` (ContentInfo), with every check that needs no trust: RFC 3161 2.3, 2.4.2.

    Its signature value, the digest of its content, the certificate that it names itself (ESSCertID or ESSCertIDv2), and
    that this certificate is for time-stamping alone (critical extended key usage). Raises
    :class:`TimeStampTokenError`.
    """
    if len(der) > LONGEST:
        raise _refused("token-too-large", f"{len(der)} 字节", f"{len(der)} bytes, at most {LONGEST} expected")
    try:
        data = _signed_data(der)
        signed = read_signed(data)
        info = _info(signed)
        _check_purpose(signed.signer)
        return _token(der, signed, info)
    except (SignedDataError, SignatureValueError) as problem:
        raise TimeStampTokenError(problem.code, problem.zh, problem.en) from problem
    except (*MALFORMED, *UNREADABLE, OverflowError) as problem:
        raise _malformed(type(problem).__name__) from problem


def _signed_data(der: bytes) -> cms.SignedData:
    content = cms.ContentInfo.load(der, strict=True)
    if content["content_type"].native != "signed_data":
        raise _malformed(f"content of the type {content['content_type'].native}")
    return content["content"]


def _info(signed: Signed) -> tsp.TSTInfo:
    """The signed content, which must be DER (RFC 3161 2.4.2) and what the message digest is of."""
    if signed.content_type != "tst_info" or signed.content is None:
        raise _malformed(f"signed content of the type {signed.content_type}")
    if signed.digest not in HASHES or new_hash(signed.digest, signed.content).digest() != signed.message_digest:
        raise _refused("token-digest", "内容摘要不符", "the message digest is not that of its content")
    check_der(signed.content)
    info = tsp.TSTInfo.load(signed.content, strict=True)
    if info["version"].native != "v1":
        raise _malformed(f"version {info['version'].native}")
    return info


def _check_purpose(signer: x509.Certificate) -> None:
    """RFC 3161 2.3: the certificate is for time-stamping and nothing else, and says so critically."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise _refused(
            "token-key-usage",
            "签名证书不是专用于时间戳的证书（extendedKeyUsage）",
            "its certificate is not for time-stamping alone (critical extendedKeyUsage timeStamping)",
        )


def _token(der: bytes, signed: Signed, info: tsp.TSTInfo) -> TimeStampToken:
    algorithm = str(info["message_imprint"]["hash_algorithm"]["algorithm"].native)
    imprint = bytes(info["message_imprint"]["hashed_message"].native)
    if algorithm not in HASHES or len(imprint) != HASHES[algorithm].digest_size:
        raise _malformed(f"an imprint of {len(imprint)} bytes by {algorithm}")
    used = {"imprint": algorithm, "signature": signed.digest}
    nonce = info["nonce"].native
    return TimeStampToken(
        der=der,
        time=info["gen_time"].native,
        accuracy=_accuracy(info["accuracy"].native),
        serial=info["serial_number"].native,
        policy=info["policy"].dotted if info["policy"].native else "",
        algorithm=algorithm,
        imprint=imprint,
        nonce=None if nonce is None else int(nonce),
        signer=signed.signer,
        certificates=signed.certificates,
        weak=tuple(f"{part}: {name}" for part, name in used.items() if weak_digest(name)),
    )


def _accuracy(found: dict[str, int | None] | None) -> timedelta | None:
    if found is None:
        return None
    return timedelta(
        seconds=found["seconds"] or 0, milliseconds=found["millis"] or 0, microseconds=found["micros"] or 0
    )


def _malformed(found: str) -> TimeStampTokenError:
    return _refused("token-malformed", f"不合格式（{found}）", f"malformed ({found})")


def _refused(code: str, zh: str, en: str) -> TimeStampTokenError:
    return TimeStampTokenError(code, f"时间戳：{zh}", f"the time-stamp token: {en}")
