"""Time-stamps: the request, the token that a time-stamp unit makes, the response around it.

RFC 3161, RFC 5816 (ESSCertIDv2), EN 319 422. A token from elsewhere is read in :mod:`authority.timestamp_token`.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier as Oid

from authority import timestamp_form as form
from authority.checked_signature import sign_checked
from authority.der import DIGEST_SHA256, SHA_256, SIGNATURES, AlgorithmIdentifier, Certificate, certificate_hash, tlv
from authority.errors import TimeStampFailure, TimeStampRequestError, TimeStampResponseError
from authority.timestamp_token import read_token
from keystore.interface import Grounds, SigningKey, wants_grounds

LONGEST_REQUEST: Final = 8 * 1024
"""Bytes; a request with a nonce has about 70."""
LONGEST_RESPONSE: Final = 256 * 1024

_BITS: Final[Mapping[TimeStampFailure, int]] = {
    "badAlg": 0,
    "badRequest": 2,
    "badDataFormat": 5,
    "timeNotAvailable": 14,
    "unacceptedPolicy": 15,
    "unacceptedExtension": 16,
    "systemFailure": 25,
}
_IMPRINTS: Final[Mapping[Oid, tuple[str, int]]] = {
    SHA_256: ("sha256", 32),
    Oid("2.16.840.1.101.3.4.2.2"): ("sha384", 48),
    Oid("2.16.840.1.101.3.4.2.3"): ("sha512", 64),
}
_SIGNED_DATA: Final = Oid("1.2.840.113549.1.7.2")
_TST_INFO: Final = Oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE: Final = Oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = Oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE_V2: Final = Oid("1.2.840.113549.1.9.16.2.47")
_LONGEST_NONCE_BITS: Final = 256
_LONGEST_TEXT: Final = 200
_GRANTED = {0, 1}  # granted, grantedWithMods
_REJECTION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStampRequest:
    """What somebody wants a time-stamp for. ``algorithm`` is sha256, sha384 or sha512; ``policy`` a dotted OID."""

    algorithm: str
    digest: bytes
    policy: str | None
    nonce: int | None
    certificates: bool  # certReq: the token shall hold the unit's certificate

    @property
    def imprint(self) -> form.Imprint:
        """As the token repeats it."""
        (found,) = (oid for oid, (name, _) in _IMPRINTS.items() if name == self.algorithm)
        return form.Imprint(algorithm=AlgorithmIdentifier(algorithm=found, parameters=None), digest=self.digest)


def make_request(digest: bytes, *, nonce: int | None) -> bytes:
    """A TimeStampReq, DER, for the SHA-256 ``digest``; it asks for the certificate (certReq)."""
    algorithm = [tlv(asn1.encode_der(SHA_256))]
    imprint = form.AnyImprint(algorithm=algorithm, digest=digest)
    request = form.Request(version=1, imprint=imprint, policy=None, nonce=nonce, certificates=True, extensions=None)
    return asn1.encode_der(request)


def read_request(der: bytes) -> TimeStampRequest:
    """The request in ``der``, if it is one that can be answered (RFC 3161 2.4.1).

    Raises :class:`TimeStampRequestError`, whose ``failure`` goes into the response. Which policies are known is the
    caller's question.
    """
    if len(der) > LONGEST_REQUEST:
        raise _bad("badDataFormat", f"请求 {len(der)} 字节，过长", f"{len(der)} bytes, at most {LONGEST_REQUEST}")
    try:
        found = asn1.decode_der(form.Request, der)
        algorithm = found.imprint.algorithm[0].parse(Oid) if found.imprint.algorithm else None
    except (ValueError, TypeError, OverflowError) as problem:
        raise _bad("badDataFormat", "不是 DER 编码的 TimeStampReq", "this is no TimeStampReq in DER") from problem
    if found.version != 1:
        raise _bad("badRequest", f"版本为 {found.version:d}，应为 1", f"version {found.version:d}, expected 1")
    if found.extensions is not None:
        raise _bad("unacceptedExtension", "不支持请求扩展", "extensions of requests are not known here")
    if found.nonce is not None and found.nonce.bit_length() > _LONGEST_NONCE_BITS:
        raise _bad("badDataFormat", "随机数过长", f"the nonce has more than {_LONGEST_NONCE_BITS} bits")
    return TimeStampRequest(
        algorithm=_algorithm(algorithm, found.imprint),
        digest=found.imprint.digest,
        policy=None if found.policy is None else found.policy.dotted_string,
        nonce=found.nonce,
        certificates=bool(found.certificates),
    )


def make_token(
    request: TimeStampRequest,
    key: SigningKey,
    certificate: x509.Certificate,
    chain: Sequence[bytes],
    *,
    serial: int,
    now: datetime,
    accuracy: timedelta,
    policy: str,
) -> bytes:
    """The token, a ContentInfo in DER, signed with one use of ``key`` and checked before it is returned.

    ``chain`` is DER, the unit's certificate first; it goes into the token when the request asks for certificates.
    ``now`` is told to the millisecond; ``serial`` was never used before. Raises :class:`ProfileError`,
    :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    info = form.TstInfo(
        version=1,
        policy=Oid(policy),
        imprint=request.imprint,
        serial=serial,
        time=asn1.GeneralizedTime(now.replace(microsecond=now.microsecond // 1000 * 1000)),
        accuracy=_accuracy(accuracy),
        nonce=request.nonce,
    )
    content = asn1.encode_der(info)
    attributes = _signed_attributes(content, chain[0])
    signature = sign_checked(key, "timestamp", certificate, attributes, grounds=_grounds(key, content, chain))
    return _signed(
        content, attributes, signature, chain=chain, certificates=request.certificates, algorithm=key.algorithm
    )


def _grounds(key: SigningKey, content: bytes, chain: Sequence[bytes]) -> Grounds | None:
    """The time-stamp itself, of which the key is otherwise shown a digest."""
    if not wants_grounds(key):
        return None
    return Grounds(statement={"content": b64encode(content).decode(), "certificate": b64encode(chain[0]).decode()})


def granted(token: bytes) -> bytes:
    """The TimeStampResp, DER, that delivers ``token``."""
    return asn1.encode_der(form.Granted(status=form.Status(status=0, text=None, failure=None), token=tlv(token)))


def rejected(failure: TimeStampFailure, zh: str, en: str) -> bytes:
    """The TimeStampResp, DER, that says why there is no token."""
    octet, bit = divmod(_BITS[failure], 8)
    flags = asn1.BitString(bytes(octet) + bytes([0x80 >> bit]), 7 - bit)  # DER: no zero bits behind the last one
    return asn1.encode_der(form.Rejected(status=form.Status(status=_REJECTION, text=[f"{zh} / {en}"], failure=flags)))


def token_of(response_der: bytes, *, digest: bytes, nonce: int | None) -> bytes:
    """The token, DER, in any authority's TimeStampResp, if it is for the SHA-256 ``digest`` and this ``nonce``.

    Raises :class:`TimeStampResponseError`: ``timestamp-response-malformed``, ``timestamp-refused``,
    ``timestamp-of-another``; ``TimeStampTokenError`` as :func:`authority.timestamp_token.read_token`.
    """
    if len(response_der) > LONGEST_RESPONSE:
        raise _unreadable(f"{len(response_der)} bytes")
    response = _response(response_der)
    if response.status.status not in _GRANTED:
        raise _refusal(response.status)
    if isinstance(response, form.Rejected):
        raise _unreadable("granted without a token")
    token = read_token(asn1.encode_der(response.token))
    if (token.algorithm, token.imprint, token.nonce) != ("sha256", digest, nonce):
        raise TimeStampResponseError(
            "timestamp-of-another",
            "时间戳不是针对所请求的摘要和随机数的",
            "the time-stamp is not for the digest and nonce that were asked for",
        )
    return token.der


def _response(der: bytes) -> form.Granted | form.Rejected:
    try:
        return asn1.decode_der(form.Granted, der)
    except (ValueError, OverflowError):
        pass
    try:
        return asn1.decode_der(form.Rejected, der)
    except (ValueError, OverflowError) as problem:
        raise _unreadable("not DER") from problem


def _algorithm(oid: Oid | None, imprint: form.AnyImprint) -> str:
    if oid is None or oid not in _IMPRINTS:
        raise _bad("badAlg", "摘要算法应为 SHA-256、SHA-384 或 SHA-512", "expected SHA-256, SHA-384 or SHA-512")
    name, length = _IMPRINTS[oid]
    parameters = [asn1.encode_der(each) for each in imprint.algorithm[1:]]
    if parameters not in ([], [b"\x05\x00"]):
        raise _bad("badAlg", "摘要算法的参数应为空", "the parameters of the digest should be NULL or absent")
    if len(imprint.digest) != length:
        found = len(imprint.digest)
        raise _bad("badDataFormat", f"摘要 {found} 字节，应为 {length}", f"a {name} of {found} bytes, not {length}")
    return name


def _accuracy(accuracy: timedelta) -> form.Accuracy:
    """RFC 3161 2.4.2: seconds, then 1 to 999 milliseconds and microseconds; what is zero is left out."""
    seconds = accuracy // timedelta(seconds=1)
    millis, micros = divmod(accuracy.microseconds, 1000)
    return form.Accuracy(seconds=seconds or None, millis=millis or None, micros=micros or None)


def _signed_attributes(content: bytes, certificate: bytes) -> bytes:
    reference = form.SigningCertificateV2(certs=[form.EssCertIdV2(cert_hash=certificate_hash(certificate))])
    attributes = [
        _attribute(_CONTENT_TYPE, _TST_INFO),
        _attribute(_MESSAGE_DIGEST, sha256(content).digest()),
        _attribute(_SIGNING_CERTIFICATE_V2, reference),
    ]
    return asn1.encode_der(asn1.SetOf(attributes))


def _attribute(kind: Oid, value: Oid | bytes | form.SigningCertificateV2) -> form.Attribute:
    return form.Attribute(type=kind, values=asn1.SetOf([tlv(asn1.encode_der(value))]))


def _signed(
    content: bytes, attributes: bytes, signature: bytes, *, chain: Sequence[bytes], certificates: bool, algorithm: str
) -> bytes:
    certificate = _certificate(chain[0])
    signer = form.SignerInfo(
        version=1,
        sid=form.IssuerAndSerialNumber(issuer=certificate.tbs.issuer, serial=certificate.tbs.serial),
        digest_algorithm=DIGEST_SHA256,
        # RFC 5652 5.3: signedAttrs is [0] IMPLICIT, and only its tag differs from what was signed.
        signed_attributes=tlv(b"\xa0" + attributes[1:]),
        signature_algorithm=SIGNATURES[algorithm],
        signature=signature,
    )
    data = form.SignedData(
        version=3,  # RFC 5652 5.1: the content is not id-data
        digest_algorithms=asn1.SetOf([DIGEST_SHA256]),
        content_info=form.Content(content_type=_TST_INFO, content=content),
        certificates=asn1.SetOf([tlv(each) for each in chain]) if certificates else None,
        signer_infos=asn1.SetOf([signer]),
    )
    return asn1.encode_der(form.ContentInfo(content_type=_SIGNED_DATA, content=data))


@lru_cache(maxsize=64)
def _certificate(der: bytes) -> Certificate:
    return asn1.decode_der(Certificate, der)


def _bad(failure: TimeStampFailure, zh: str, en: str) -> TimeStampRequestError:
    return TimeStampRequestError(failure, f"时间戳请求：{zh}", f"the time-stamp request: {en}")


def _unreadable(found: str) -> TimeStampResponseError:
    return TimeStampResponseError(
        "timestamp-response-malformed",
        f"时间戳响应不合格式（{found}）",
        f"the time-stamp response is malformed ({found})",
    )


def _refusal(status: form.Status) -> TimeStampResponseError:
    said = "".join(each if each.isprintable() else "\ufffd" for each in "; ".join(status.text or []))[:_LONGEST_TEXT]
    flags = status.failure.as_bytes() if status.failure else b""
    bits = {8 * place + bit for place, octet in enumerate(flags) for bit in range(8) if octet & 0x80 >> bit}
    names = ", ".join([name for name, bit in _BITS.items() if bit in bits] or [f"status {status.status}"])
    return TimeStampResponseError(
        "timestamp-refused",
        f"时间戳机构未给时间戳（{names}）：{said}",
        f"the time-stamp authority gave no token ({names}): {said}",
    )
