"""Reads a revocation answer from an untrusted hand (RFC 6960), for the certificates of one issuer.

Only the issuer itself, or a responder that the same issuer certified for this purpose, may answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import new as new_hash
from typing import Literal

from asn1crypto import ocsp as asn1
from asn1crypto.core import GeneralizedTime
from asn1crypto.keys import PublicKeyInfo
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from authority.chain import issued_by, show
from authority.errors import UNREADABLE, OcspResponseError, SignatureValueError
from authority.revocation import REASONS, Revoked
from authority.signature_value import STRONG, check_value
from authority.signed_data import MALFORMED

LONGEST = 256 * 1024
"""Bytes; an answer with its responder's certificate has about 2,000."""
_MOST_ANSWERS = 1000
_MOST_CERTIFICATES = 16
_STATES: dict[ocsp.OCSPCertStatus, Literal["good", "revoked", "unknown"]] = {
    ocsp.OCSPCertStatus.GOOD: "good",
    ocsp.OCSPCertStatus.REVOKED: "revoked",
    ocsp.OCSPCertStatus.UNKNOWN: "unknown",
}
_NONCE = x509.OCSPNonce.oid


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspAnswer:
    """What was said of one certificate of the issuer. ``revoked`` comes with ``revoked`` only.

    Without ``next_update`` newer answers are always at hand (RFC 6960 4.2.2.1). ``responder`` is the certificate of
    who signed; ``vouched`` that it is the issuer's own, or by id-pkix-ocsp-nocheck needs no revocation answer itself.
    """

    serial: int
    status: Literal["good", "revoked", "unknown"]
    revoked: Revoked | None
    this_update: datetime
    next_update: datetime | None
    produced_at: datetime
    responder: x509.Certificate
    vouched: bool
    nonce: bytes | None

    def current(self, at: datetime) -> bool:
        """Whether the answer speaks for the time ``at``."""
        return self.this_update <= at <= (self.next_update or self.this_update)


def read_response(der: bytes, issuer_cert: x509.Certificate) -> tuple[OcspAnswer, ...]:
    """The answers in ``der`` (OCSPResponse) about certificates of ``issuer_cert``, when it or its responder signed.

    Raises :class:`OcspResponseError`: ``ocsp-malformed``, ``ocsp-refused`` (an error instead of an answer),
    ``ocsp-responder`` (signed by nobody who may), ``ocsp-signature``, ``ocsp-critical-extension``,
    ``ocsp-other-issuer``.
    """
    if len(der) > LONGEST:
        raise _malformed(f"{len(der)} bytes, at most {LONGEST}")
    try:
        return _read(der, issuer_cert)
    except SignatureValueError as problem:
        raise OcspResponseError(
            "ocsp-signature", f"吊销应答：{problem.zh}", f"the OCSP answer: {problem.en}"
        ) from problem
    except (*MALFORMED, *UNREADABLE, OverflowError) as problem:
        raise _malformed(type(problem).__name__) from problem


def _read(der: bytes, issuer_cert: x509.Certificate) -> tuple[OcspAnswer, ...]:
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        name = response.response_status.name.lower()
        raise OcspResponseError("ocsp-refused", f"吊销应答为出错：{name}", f"the OCSP answer is an error: {name}")
    basic = asn1.OCSPResponse.load(der, strict=True)["response_bytes"]["response"].parsed
    _check_critical(basic["tbs_response_data"])
    responder, vouched = _responder(response, issuer_cert)
    _check_signature(basic, response, responder)
    nonces = [each.value.nonce for each in response.extensions if isinstance(each.value, x509.OCSPNonce)]
    found = tuple(
        replace(
            _answer(single, response, responder, vouched=vouched),
            revoked=_revoked(single, _invalid_since(raw)),
            nonce=nonces[0] if nonces else None,
        )
        for single, raw in zip(_singles(response), basic["tbs_response_data"]["responses"], strict=True)
        if _about(single, issuer_cert)
    )
    if not found:
        name = show(issuer_cert.subject)
        raise OcspResponseError(
            "ocsp-other-issuer",
            f"吊销应答与 {name} 签发的证书无关",
            f"the OCSP answer is about no certificate by {name}",
        )
    return found


def _singles(response: ocsp.OCSPResponse) -> Iterator[ocsp.OCSPSingleResponse]:
    for number, single in enumerate(response.responses):
        if number == _MOST_ANSWERS:
            raise _malformed(f"more than {_MOST_ANSWERS} answers")
        yield single


def _responder(response: ocsp.OCSPResponse, issuer_cert: x509.Certificate) -> tuple[x509.Certificate, bool]:
    """Who signed: the issuer, or a responder with a certificate by it (RFC 6960 4.2.2.2)."""
    if _identified(issuer_cert, response):
        return issuer_cert, True
    delegated = response.certificates[:_MOST_CERTIFICATES]
    found = next((each for each in delegated if _identified(each, response) and issued_by(each, issuer_cert)), None)
    if found is None or not _may_answer(found, response.produced_at_utc):
        name = show(issuer_cert.subject)
        raise OcspResponseError(
            "ocsp-responder",
            f"吊销应答不是由 {name} 或其指定的应答者签名的",
            f"the OCSP answer is by neither {name} nor a responder that it certified and that was valid then",
        )
    return found, _has(found, x509.OCSPNoCheck)


def _identified(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    if response.responder_name is not None:
        return certificate.subject == response.responder_name
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _key_bits_hash("sha1", key) == response.responder_key_hash


def _key_bits_hash(algorithm: str, public_key: bytes) -> bytes:
    """RFC 6960 4.1.1: over the value of the BIT STRING, without tag, length and count of unused bits."""
    bits = PublicKeyInfo.load(public_key)["public_key"].contents[1:]
    return new_hash(algorithm, bits, usedforsecurity=False).digest()


def _may_answer(certificate: x509.Certificate, at: datetime) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    held = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    return held and ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _has(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> bool:
    return any(isinstance(each.value, kind) for each in certificate.extensions)


def _check_signature(basic: asn1.BasicOCSPResponse, response: ocsp.OCSPResponse, responder: x509.Certificate) -> None:
    digest = check_value(
        responder.public_key(),
        response.signature,
        response.tbs_response_bytes,
        algorithm=basic["signature_algorithm"],
        digest=None if response.signature_hash_algorithm is None else response.signature_hash_algorithm.name,
    )
    if digest not in STRONG:
        raise OcspResponseError(
            "ocsp-signature", f"吊销应答的签名用 {digest}", f"the OCSP answer is signed with {digest}"
        )


def _about(single: ocsp.OCSPSingleResponse, issuer_cert: x509.Certificate) -> bool:
    algorithm = single.hash_algorithm.name
    key = issuer_cert.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = new_hash(algorithm, issuer_cert.subject.public_bytes(), usedforsecurity=False).digest()
    return single.issuer_name_hash == name and single.issuer_key_hash == _key_bits_hash(algorithm, key)


def _answer(
    single: ocsp.OCSPSingleResponse,
    response: ocsp.OCSPResponse,
    responder: x509.Certificate,
    *,
    vouched: bool,
) -> OcspAnswer:
    return OcspAnswer(
        serial=single.serial_number,
        status=_STATES[single.certificate_status],
        revoked=None,
        this_update=single.this_update_utc,
        next_update=single.next_update_utc,
        produced_at=response.produced_at_utc,
        responder=responder,
        vouched=vouched,
        nonce=None,
    )


def _invalid_since(single: asn1.SingleResponse) -> datetime | None:
    """RFC 6960 4.4.5, RFC 5280 5.3.2; the other library shows extensions of the first answer only."""
    for extension in single["single_extensions"] or ():
        if extension["extn_id"].dotted == x509.InvalidityDate.oid.dotted_string:
            since: datetime = GeneralizedTime.load(extension["extn_value"].contents, strict=True).native
            return since
    return None


def _revoked(single: ocsp.OCSPSingleResponse, invalid_since: datetime | None) -> Revoked | None:
    if single.revocation_time_utc is None:
        return None
    flag = single.revocation_reason
    reason = "unspecified" if flag is None else REASONS.get(flag, "unspecified")
    return Revoked(
        serial=single.serial_number, time=single.revocation_time_utc, reason=reason, invalid_since=invalid_since
    )


def _check_critical(data: asn1.ResponseData) -> None:
    """Of the whole answer and of each in it; the library gives the latter only where there is one."""
    singles = (extension for single in data["responses"] for extension in single["single_extensions"] or ())
    for extension in (*(data["response_extensions"] or ()), *singles):
        if extension["critical"].native and extension["extn_id"].dotted != _NONCE.dotted_string:
            raise OcspResponseError(
                "ocsp-critical-extension",
                f"吊销应答含有未能识别的关键扩展 {extension['extn_id'].dotted}",
                f"the OCSP answer has a critical extension that is not understood: {extension['extn_id'].dotted}",
            )


def _malformed(found: str) -> OcspResponseError:
    return OcspResponseError(
        "ocsp-malformed", f"吊销应答不合格式（{found}）", f"the OCSP answer is malformed ({found})"
    )
