"""Certificates of other authorities: ask for one with a PKCS #10 request, accept what comes back."""

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import csr as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.chain import Problem, check_chain, issued_by, show
from authority.errors import UNREADABLE, OutsideCertificateError
from authority.issue import load_public_key, signature_algorithm, wrong_signature
from keystore.interface import Grounds, Permit, SigningKey

_LARGEST_PEM = 256 * 1024


def make_csr(key: SigningKey, subject: x509.Name, grounds: Grounds | None = None) -> bytes:
    """A certification request for ``key``, PEM (RFC 2986), signed with one use of it.

    ``subject`` comes from :func:`authority.names.seal_subject`; the outside authority may change it. ``grounds``
    show the entry that foresaw the request to a key that checks for itself. Raises :class:`ProfileError`,
    :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    load_public_key(key.public_key)
    algorithm = signature_algorithm(key)
    frame = asn1.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1_x509.Name.load(subject.public_bytes()),
            "subject_pk_info": asn1_x509.PublicKeyInfo.load(key.public_key),
            "attributes": [],  # RFC 2986 4.1: the field is there even when it is empty
        }
    )
    to_be_signed: bytes = frame.dump()
    signature = key.sign(Permit.to_sign(key, to_be_signed, grounds), to_be_signed)
    whole = asn1.CertificationRequest(
        {"certification_request_info": frame, "signature_algorithm": algorithm, "signature": signature}
    )
    request = x509.load_der_x509_csr(whole.dump())
    if not request.is_signature_valid:
        raise wrong_signature(key)
    return request.public_bytes(Encoding.PEM)


def accept_outside_certificate(
    pem_chain: bytes, public_key: bytes, roots: Sequence[x509.Certificate], now: datetime
) -> tuple[bytes, ...]:
    """The path from the certificate for ``public_key`` towards one of ``roots``, DER, leaf first, no root.

    ``pem_chain`` holds the certificates in any order, with or without the root; ``public_key`` is
    SubjectPublicKeyInfo, DER. Raises :class:`OutsideCertificateError`: ``pem-malformed``,
    ``other-public-key``, or the code of the first problem of :func:`authority.chain.check_chain`
    with all problems in its text.
    """
    found = _load(pem_chain)
    refusals = []
    for leaf in _certificates_of(public_key, found):
        path = _path(leaf, found, roots)
        problems = check_chain(path, roots, now)
        if not problems:
            return tuple(each.public_bytes(Encoding.DER) for each in path)
        refusals.append(problems)
    raise _refused(refusals[0])


def _load(pem_chain: bytes) -> list[x509.Certificate]:
    if len(pem_chain) > _LARGEST_PEM:
        raise OutsideCertificateError(
            "pem-too-large",
            f"证书文件为 {len(pem_chain)} 字节，最多 {_LARGEST_PEM} 字节",
            f"the certificate file has {len(pem_chain)} bytes, at most {_LARGEST_PEM} are read",
        )
    try:
        found = x509.load_pem_x509_certificates(pem_chain)
        for each in found:  # names and keys are decoded when they are first asked for
            each.public_key(), show(each.subject), show(each.issuer)
    except (*UNREADABLE, UnsupportedAlgorithm) as problem:
        raise OutsideCertificateError(
            "pem-malformed",
            "文件中没有 PEM 证书，或含有无法读取的证书（例如 SM2 证书）",
            "the file holds no PEM certificates, or one that cannot be read (SM2 cannot yet)",
        ) from problem
    return found


def _certificates_of(public_key: bytes, found: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """More than one where the file holds an expired certificate beside its successor."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ours = [each for each in found if each.public_key().public_bytes(*form) == public_key]
    if ours:
        return ours
    names = "; ".join(show(each.subject) for each in found)
    raise OutsideCertificateError(
        "other-public-key",
        f"文件中没有该印章密钥的证书，只有：{names}",
        f"no certificate in the file is for this seal's public key, only: {names}",
    )


def _path(
    leaf: x509.Certificate, found: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """From the leaf upwards as far as the file goes; roots, and what is not on the way, are left out."""
    path = [leaf]
    rest = [each for each in found if each != leaf and each not in roots]
    while issuer := next((each for each in rest if issued_by(path[-1], each)), None):
        path.append(issuer)
        rest.remove(issuer)
    return path


def _refused(problems: Sequence[Problem]) -> OutsideCertificateError:
    return OutsideCertificateError(
        problems[0].code,
        "；".join(problem.zh for problem in problems),
        "; ".join(problem.en for problem in problems),
    )
