"""Certificates and revocation lists before they are signed, read by giving them a signature that is none."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from asn1crypto import core
from cryptography import x509

from custody.checks.refusal import refuse, refuse_unless
from custody.requests import UseRequest

_Whole = TypeVar("_Whole", x509.Certificate, x509.CertificateRevocationList)

ALGORITHMS: Final[Mapping[str, str]] = {
    "ecdsa-p256-sha256": "1.2.840.10045.4.3.2",
    "rsa3072-sha256": "1.2.840.113549.1.1.11",
}
"""The signature algorithm, dotted OID, that certificates by a key of each algorithm name (RFC 5758, RFC 8017)."""
UNREADABLE: Final = (ValueError, TypeError, KeyError, IndexError, OverflowError, x509.DuplicateExtension)


def unsigned_certificate(request: UseRequest) -> x509.Certificate:
    """The certificate whose TBSCertificate the message is. Refuses what cannot be read."""
    certificate = _wrapped(request, x509.load_der_x509_certificate, algorithm_at=2)
    refuse_unless(
        certificate.tbs_certificate_bytes == request.message, "证书不是规范编码", "the certificate is not in DER"
    )
    _check_algorithm(request, certificate.signature_algorithm_oid.dotted_string)
    return certificate


def unsigned_list(request: UseRequest) -> x509.CertificateRevocationList:
    """The revocation list whose TBSCertList the message is. Refuses what cannot be read."""
    found = _wrapped(request, x509.load_der_x509_crl, algorithm_at=1)
    refuse_unless(found.tbs_certlist_bytes == request.message, "吊销列表不是规范编码", "the list is not in DER")
    _check_algorithm(request, found.signature_algorithm_oid.dotted_string)
    return found


def _wrapped(request: UseRequest, load: Callable[[bytes], _Whole], *, algorithm_at: int) -> _Whole:
    try:
        members = core.SequenceOf.load(request.message, spec=core.Any, strict=True)
        algorithm: bytes = members[algorithm_at].dump()
        whole = core.Sequence()
        whole.contents = request.message + algorithm + b"\x03\x02\x00\x00"
        return load(whole.dump())
    except UNREADABLE as error:
        refuse(f"要签名的内容不可读（{type(error).__name__}）", f"the message cannot be read ({type(error).__name__})")


def _check_algorithm(request: UseRequest, found: str) -> None:
    expected = ALGORITHMS.get(request.algorithm)
    refuse_unless(
        found == expected,
        f"签名算法为 {found}，密钥的算法为 {request.algorithm}",
        f"it names the algorithm {found}, the key signs with {request.algorithm}",
    )
