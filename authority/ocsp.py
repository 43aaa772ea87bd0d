"""Answers to "is this certificate revoked", by a delegated responder: RFC 6960, nonces as in RFC 9654.

Responses from elsewhere are read in :mod:`authority.ocsp_response`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import new as new_hash
from typing import Annotated, Any, Final, Literal

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ObjectIdentifier as Oid

from authority.checked_signature import sign_checked
from authority.der import SHA_256, SIGNATURES, AlgorithmIdentifier, Extension, PublicKeyInfo, tlv
from authority.errors import OcspRequestError
from authority.revocation import Reason, Revoked
from keystore.interface import SigningKey

Failure = Literal["malformedRequest", "internalError", "tryLater", "unauthorized"]
"""OCSPResponseStatus, RFC 6960 4.2.1."""

LONGEST_REQUEST: Final = 16 * 1024
"""Bytes; a request about one certificate has about 80."""
MOST_CERTIFICATES: Final = 100
LONGEST_NONCE: Final = 128
"""Octets, RFC 9654 2.1; at least one."""

_FAILURES: Final[Mapping[Failure, int]] = {
    "malformedRequest": 1,
    "internalError": 2,
    "tryLater": 3,
    "unauthorized": 6,
}
_REASONS: Final[Mapping[Reason, int]] = {  # RFC 5280 5.3.1; 0, unspecified, is left out rather than said
    "key_compromise": 1,
    "affiliation_changed": 3,
    "superseded": 4,
    "cessation_of_operation": 5,
    "certificate_hold": 6,
    "privilege_withdrawn": 9,
}
_BASIC: Final = Oid("1.3.6.1.5.5.7.48.1.1")
_NONCE: Final = Oid("1.3.6.1.5.5.7.48.1.2")
_INVALIDITY_DATE: Final = Oid(x509.InvalidityDate.oid.dotted_string)
_SHA_1: Final = Oid("1.3.14.3.2.26")
_DIGESTS: Final = {_SHA_1.dotted_string: "sha1", SHA_256.dotted_string: "sha256"}
_GOOD, _UNKNOWN = b"\x80\x00", b"\x82\x00"  # CertStatus: [0] and [2] IMPLICIT NULL


@asn1.sequence
class _CertId:
    algorithm: AlgorithmIdentifier
    name_hash: bytes
    key_hash: bytes
    serial: int


@asn1.sequence
class _Asked:
    certificate: asn1.TLV
    extensions: Annotated[list[Extension] | None, asn1.Explicit(0)]


@asn1.sequence
class _TbsRequest:
    version: Annotated[int | None, asn1.Explicit(0)]
    requestor: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]  # [1] EXPLICIT GeneralName, which nobody asks for
    asked: list[_Asked]
    extensions: Annotated[list[Extension] | None, asn1.Explicit(2)]


@asn1.sequence
class _Request:
    request: _TbsRequest
    signature: Annotated[list[asn1.TLV] | None, asn1.Explicit(0)]  # anybody may ask


@asn1.sequence
class _RevokedInfo:
    time: asn1.GeneralizedTime
    reason: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]  # [0] EXPLICIT CRLReason


@asn1.sequence
class _SingleResponse:
    certificate: asn1.TLV
    status: asn1.TLV
    this_update: asn1.GeneralizedTime
    next_update: Annotated[asn1.GeneralizedTime | None, asn1.Explicit(0)]
    extensions: Annotated[list[Extension] | None, asn1.Explicit(1)]


@asn1.sequence
class _ResponseData:
    responder: Annotated[bytes, asn1.Explicit(2)]  # byKey
    produced_at: asn1.GeneralizedTime
    responses: list[_SingleResponse]
    extensions: Annotated[list[Extension] | None, asn1.Explicit(1)]


@asn1.sequence
class _BasicResponse:
    data: asn1.TLV
    algorithm: AlgorithmIdentifier
    signature: asn1.BitString
    certificates: Annotated[list[asn1.TLV] | None, asn1.Explicit(0)]


@asn1.sequence
class _ResponseBytes:
    kind: Oid
    response: bytes


@asn1.sequence
class _Response:
    status: asn1.TLV
    response: Annotated[_ResponseBytes | None, asn1.Explicit(0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCertificate:
    """One certificate that is asked about: its CertID as it came, and its parts."""

    der: bytes
    digest: str  # dotted OID of the digest of the two hashes
    name_hash: bytes
    key_hash: bytes
    serial: int

    def issued_by(self, issuer: x509.Certificate) -> bool:
        """Whether the CertID names ``issuer``, by SHA-1 or SHA-256; other digests name nobody."""
        return self.digest in _DIGESTS and _issuer_hashes(issuer, _DIGESTS[self.digest]) == (
            self.name_hash,
            self.key_hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspRequest:
    """What was asked, in order; ``nonce`` is repeated in the answer (RFC 9654)."""

    asked: tuple[AskedCertificate, ...]
    nonce: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The status of one certificate."""

    asked: AskedCertificate
    status: Literal["good", "unknown"] | Revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """Who answers: a key of the purpose ``ocsp`` and its certificate by the issuer (RFC 6960 4.2.2.2)."""

    key: SigningKey
    certificate: x509.Certificate


def read_request(der: bytes) -> OcspRequest:
    """The request in ``der``. A signature on it and the requestor's name are not looked at.

    Raises :class:`OcspRequestError`: not DER, too long, too many certificates, a nonce outside 1 to 128 octets, or a
    critical extension that is not understood.
    """
    if len(der) > LONGEST_REQUEST:
        raise _malformed(f"{len(der)} bytes, at most {LONGEST_REQUEST}")
    try:
        found = asn1.decode_der(_Request, der).request
        asked = tuple(_asked(each) for each in found.asked)
        nonces = [asn1.decode_der(bytes, each.value) for each in found.extensions or [] if each.kind == _NONCE]
    except (ValueError, TypeError, OverflowError) as problem:
        raise _malformed("not DER") from problem
    extensions = [*(found.extensions or []), *(every for each in found.asked for every in each.extensions or [])]
    if any(each.critical and each.kind != _NONCE for each in extensions):
        raise _malformed("a critical extension")
    if not 1 <= len(asked) <= MOST_CERTIFICATES or found.version not in {None, 0}:
        raise _malformed(f"{len(asked)} certificates, version {found.version}")
    if len(nonces) > 1 or any(not 1 <= len(each) <= LONGEST_NONCE for each in nonces):
        raise _malformed(f"a nonce should have 1 to {LONGEST_NONCE} octets")
    return OcspRequest(asked=asked, nonce=nonces[0] if nonces else None)


def request_about(certificate: x509.Certificate, issuer: x509.Certificate) -> AskedCertificate:
    """As if somebody had asked about ``certificate``; the CertID has SHA-1, which all readers know (RFC 5019 2.1.1)."""
    name_hash, key_hash = _issuer_hashes(issuer, "sha1")
    algorithm = AlgorithmIdentifier(algorithm=_SHA_1, parameters=asn1.Null())
    found = _CertId(algorithm=algorithm, name_hash=name_hash, key_hash=key_hash, serial=certificate.serial_number)
    return _certificate(asn1.encode_der(found))


def make_response(
    answers: Sequence[Answer],
    responder: Responder,
    *,
    nonce: bytes | None,
    now: datetime,
    next_update: datetime,
) -> bytes:
    """The OCSPResponse, DER, signed with one use of the responder's key, whose certificate is in it.

    Times are told in whole seconds. Raises :class:`ProfileError`, :class:`IssuedSignatureError`,
    :class:`keystore.interface.KeystoreError`.
    """
    this, following = _time(now), _time(next_update)
    data = _ResponseData(
        responder=x509.SubjectKeyIdentifier.from_public_key(responder.certificate.public_key()).digest,
        produced_at=this,
        responses=[
            _SingleResponse(
                certificate=tlv(each.asked.der),
                status=_status(each.status),
                this_update=this,
                next_update=following,
                extensions=_invalidity(each.status),
            )
            for each in answers
        ],
        extensions=None if nonce is None else [_nonce(nonce)],
    )
    to_be_signed = asn1.encode_der(data)
    basic = _BasicResponse(
        data=tlv(to_be_signed),
        algorithm=SIGNATURES[responder.key.algorithm],
        signature=asn1.BitString(sign_checked(responder.key, "ocsp", responder.certificate, to_be_signed), 0),
        certificates=[tlv(responder.certificate.public_bytes(Encoding.DER))],
    )
    return _whole(0, _ResponseBytes(kind=_BASIC, response=asn1.encode_der(basic)))


def refusal(failure: Failure) -> bytes:
    """The unsigned OCSPResponse, DER, that says why there is no answer."""
    return _whole(_FAILURES[failure], None)


def _whole(status: int, response: _ResponseBytes | None) -> bytes:
    return asn1.encode_der(_Response(status=_enumerated(status), response=response))


def _enumerated(value: int) -> Any:  # noqa: ANN401  as authority.der.tlv
    return tlv(bytes([0x0A, 1, value]))


def _asked(found: _Asked) -> AskedCertificate:
    return _certificate(asn1.encode_der(found.certificate))


def _certificate(der: bytes) -> AskedCertificate:
    found = asn1.decode_der(_CertId, der)
    return AskedCertificate(
        der=der,
        digest=found.algorithm.algorithm.dotted_string,
        name_hash=found.name_hash,
        key_hash=found.key_hash,
        serial=found.serial,
    )


@lru_cache(maxsize=16)
def _issuer_hashes(issuer: x509.Certificate, digest: str) -> tuple[bytes, bytes]:
    """RFC 6960 4.1.1: over the issuer's name, DER, and over its public key without tag and unused bits."""
    whole = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = asn1.decode_der(PublicKeyInfo, whole).key.as_bytes()
    name = issuer.subject.public_bytes()
    return (
        new_hash(digest, name, usedforsecurity=False).digest(),
        new_hash(digest, key, usedforsecurity=False).digest(),
    )


def _status(status: Literal["good", "unknown"] | Revoked) -> Any:  # noqa: ANN401  as above
    if isinstance(status, Revoked):
        reason = None if status.reason == "unspecified" else [_enumerated(_REASONS[status.reason])]
        revoked = asn1.encode_der(_RevokedInfo(time=_time(status.time), reason=reason))
        return tlv(b"\xa1" + revoked[1:])  # [1] IMPLICIT: only the tag differs
    return tlv(_GOOD if status == "good" else _UNKNOWN)


def _invalidity(status: Literal["good", "unknown"] | Revoked) -> list[Extension] | None:
    """RFC 6960 4.4.5: the extensions of an entry in a list are those of a single answer, too."""
    if not isinstance(status, Revoked) or status.invalid_since is None:
        return None
    return [Extension(kind=_INVALIDITY_DATE, critical=None, value=asn1.encode_der(_time(status.invalid_since)))]


def _nonce(nonce: bytes) -> Extension:
    return Extension(kind=_NONCE, critical=None, value=asn1.encode_der(nonce))


def _time(time: datetime) -> asn1.GeneralizedTime:
    return asn1.GeneralizedTime(time.replace(microsecond=0))


def _malformed(found: str) -> OcspRequestError:
    return OcspRequestError(
        "ocsp-request-malformed", f"吊销查询不合格式（{found}）", f"the OCSP request is malformed ({found})"
    )
