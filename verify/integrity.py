"""Whether the covered bytes and the CMS belong together, and whether the CMS has the form it claims."""

from collections.abc import Iterator

from asn1crypto.cms import CMSAttributes
from asn1crypto.parser import peek
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import get_signing_cert_attr, validate_sig_integrity

from authority.errors import SignedDataError
from authority.signed_data import check_der
from verify.pdf_syntax import FileBytes
from verify.signature_reading import PARSER_ERRORS, Reading, digest_of
from verify.verdict import Finding, doubt, failure, warning

SUB_FILTERS = {"/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"}
_STRONG = {"sha256", "sha384", "sha512"}
_WEAKEST_RSA = 2048  # bits; ETSI TS 119 312 lets no shorter key be used


def judge_integrity(data: FileBytes, reading: Reading) -> tuple[Finding, ...]:
    """Digest, signature value, algorithms and form of one signature. Raises nothing for malformed CMS."""
    if reading.sub_filter not in SUB_FILTERS:
        return (
            doubt(
                "sub_filter_not_supported",
                f"签名格式 {reading.sub_filter} 不受支持",
                f"signatures of the form {reading.sub_filter} are not judged",
                "FORMAT_FAILURE",
            ),
        )
    try:
        return (*_encoding(reading), *_cryptography(data, reading))
    except SignatureValidationError as error:
        return (_refused(error),)
    except PARSER_ERRORS as error:
        return (_malformed(type(error).__name__, "FORMAT_FAILURE"),)


def _encoding(reading: Reading) -> Iterator[Finding]:
    """What readers may take in two ways: content inside a detached signature, algorithms that differ, BER for DER.

    RFC 5652 5.1 and 5.2, EN 319 142-1 6.3; an older form than PAdES may be BER.
    """
    content = reading.cms["encap_content_info"]["content"]
    if not reading.is_timestamp and content.native is not None:
        yield _malformed("content inside a detached signature", "FORMAT_FAILURE")
    listed = {str(each["algorithm"].native).lower() for each in reading.cms["digest_algorithms"]}
    if _digest_algorithm(reading) not in listed:
        yield _malformed("the signer's digest algorithm is not among those listed", "FORMAT_FAILURE")
    if reading.sub_filter == "/ETSI.CAdES.detached":
        try:
            check_der(reading.written.contents[: peek(reading.written.contents)])
        except SignedDataError:
            yield _malformed("not DER", "FORMAT_FAILURE")


def _cryptography(data: FileBytes, reading: Reading) -> Iterator[Finding]:
    algorithms = {_digest_algorithm(reading), *([_imprint(reading)[0]] if reading.is_timestamp else [])}
    if not algorithms <= _STRONG:
        yield _weak("、".join(sorted(algorithms)))
        return
    key = reading.signer.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _WEAKEST_RSA:
        yield _weak(f"RSA {key.key_size}")
    intact, valid = _timestamp(data, reading) if reading.is_timestamp else _detached(data, reading)
    if not intact:
        yield failure(
            "document_changed",
            "被签名覆盖的内容在签名之后被改动（摘要不符）",
            "the covered bytes were changed after signing (the digest differs)",
            "HASH_FAILURE",
        )
    if not valid:
        yield failure(
            "signature_value_wrong",
            "签名值不能用证书公钥验证",
            "the signature value does not verify with the certificate's key",
            "SIG_CRYPTO_FAILURE",
        )


def _refused(error: SignatureValidationError) -> Finding:
    """What pyHanko refuses, with the sub-indication that it gives after EN 319 102-1."""
    what, sub = str(error.failure_message), error.ades_subindication
    if isinstance(sub, AdESIndeterminate):
        return doubt("cms_not_acceptable", f"签名数据（CMS）：{what}", f"the CMS: {what}", sub.standard_name)
    return _malformed(what, "FORMAT_FAILURE" if sub is None else sub.standard_name)


def _detached(data: FileBytes, reading: Reading) -> tuple[bool, bool]:
    first, length, second, rest = reading.written.byte_range
    digest = digest_of(data, _digest_algorithm(reading), (first, length), (second, rest))
    return validate_sig_integrity(reading.signer_info, reading.certificates.signer_cert, "data", digest)


def _digest_algorithm(reading: Reading) -> str:
    return str(reading.signer_info["digest_algorithm"]["algorithm"].native).lower()


def _timestamp(data: FileBytes, reading: Reading) -> tuple[bool, bool]:
    """A time-stamp token signs its own content, which names the digest of the document (RFC 3161 2.4.2)."""
    content = bytes(reading.cms["encap_content_info"]["content"])
    inner = digest_of(content, _digest_algorithm(reading), (0, len(content)))
    intact, valid = validate_sig_integrity(reading.signer_info, reading.certificates.signer_cert, "tst_info", inner)
    first, length, second, rest = reading.written.byte_range
    algorithm, imprint = _imprint(reading)
    return intact and imprint == digest_of(data, algorithm, (first, length), (second, rest)), valid


def _imprint(reading: Reading) -> tuple[str, bytes]:
    """Algorithm and value of a time-stamp's message imprint."""
    imprint = reading.cms["encap_content_info"]["content"].parsed["message_imprint"]
    return str(imprint["hash_algorithm"]["algorithm"].native).lower(), bytes(imprint["hashed_message"].native)


def level_of(reading: Reading) -> str | None:
    """``PAdES-B-B`` when what EN 319 142-1 6.3 asks of the signature itself is there, else None.

    Time-stamps and validation data, which raise the level, are not judged here.
    """
    attributes: CMSAttributes = reading.signer_info["signed_attrs"]
    names = {str(attribute["type"].native) for attribute in attributes}
    pades = reading.sub_filter == "/ETSI.CAdES.detached"
    return "PAdES-B-B" if pades and "signing_time" not in names and get_signing_cert_attr(attributes) else None


def judge_form(reading: Reading) -> tuple[Finding, ...]:
    """A seal of this system is PAdES; anything else under such a certificate was not made by it."""
    try:
        level = level_of(reading)
    except PARSER_ERRORS as error:
        return (_malformed(type(error).__name__, "FORMAT_FAILURE"),)
    if level is not None:
        return ()
    return (
        doubt(
            "not_pades",
            "签名不符合 PAdES 基本级别（缺 signing-certificate-v2，或格式不是 ETSI.CAdES.detached）",
            "not a PAdES baseline signature (signing-certificate-v2 is missing or the form is another)",
            "SIG_CONSTRAINTS_FAILURE",
        ),
    )


def unjudged_timestamp(field: str) -> Finding:
    """What is said of a time-stamp whose bytes are sound."""
    return warning(
        "timestamp_issuer_not_judged",
        f"{field} 是时间戳：其内容完整，但颁发者未作核验，不作为时间证明",
        f"{field} is a time-stamp: sound in itself, but its issuer was not judged, so it proves no time",
    )


def _weak(found: str) -> Finding:
    return doubt(
        "algorithm_too_weak",
        f"签名算法 {found} 强度不足",
        f"the algorithm {found} is too weak to rely on",
        "CRYPTO_CONSTRAINTS_FAILURE",
    )


def _malformed(what: str, sub: str) -> Finding:
    return failure("cms_malformed", f"签名数据（CMS）不合格式：{what}", f"the CMS is malformed: {what}", sub)
