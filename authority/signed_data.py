"""Reads CMS SignedData with one signer from an untrusted hand, strictly (RFC 5652, RFC 5035, EN 319 122-1).

What the signer's key covered is taken as it stands in the bytes, and must be DER: another order, or another length
form, of the signed attributes could be read in two ways.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import Any

from asn1crypto import cms, core, parser, tsp
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from authority.errors import UNREADABLE, SignedDataError
from authority.signature_value import HASHES, check_value

MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, UnsupportedAlgorithm)
"""What asn1crypto and cryptography raise for bytes that are not in the form they read."""
_MOST_ATTRIBUTES = 64
_MOST_CERTIFICATES = 64
_DEEPEST = 32
_SET = b"\x31"
_CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F
_LONG_LENGTH = 0x80
_ESS_V1, _ESS_V2 = "signing_certificate", "signing_certificate_v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One signer's part of a SignedData whose signature value was verified.

    ``digest`` is the name of its digest algorithm; ``message_digest`` what the signed attributes say of the content.
    """

    content_type: str
    content: bytes | None
    message_digest: bytes
    digest: str
    signer: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    signed_attributes: bytes


def read_signed(data: cms.SignedData) -> Signed:
    """Read and verify the only signer of ``data``; its content is not compared with ``message_digest`` here.

    Raises :class:`SignedDataError`: malformed, attributes missing, twice or not DER, no certificate that the signature
    itself names; and :class:`SignatureValueError`.
    """
    try:
        return _read(data)
    except (*MALFORMED, *UNREADABLE) as problem:
        raise _malformed(type(problem).__name__) from problem


def _read(data: cms.SignedData) -> Signed:
    (info,) = _one(data["signer_infos"], "signer")
    attributes = signed_attributes(info)
    values = _values(info)
    digest = str(info["digest_algorithm"]["algorithm"].native)
    certificates = certificates_of(data)
    signer = _named(values, info, certificates)
    check_value(
        signer.public_key(),
        info["signature"].native,
        attributes,
        algorithm=info["signature_algorithm"],
        digest=digest,
    )
    content_type = str(data["encap_content_info"]["content_type"].native)
    if values["content_type"] != content_type:
        raise _malformed(f"content-type {values['content_type']}, not {content_type}")
    content = data["encap_content_info"]["content"]
    return Signed(
        content_type=content_type,
        content=None if isinstance(content, core.Void) else bytes(content),
        message_digest=values["message_digest"],
        digest=digest,
        signer=signer,
        certificates=tuple(each for each in certificates if each != signer),
        signed_attributes=attributes,
    )


def signed_attributes(info: cms.SignerInfo) -> bytes:
    """The DER SET OF that the key signed (RFC 5652 5.4). Raises :class:`SignedDataError` when it is not DER."""
    encoded: bytes = info["signed_attrs"].dump()
    if not encoded:
        raise _malformed("no signed attributes")
    check_der(encoded)
    parts = list(_parts(info["signed_attrs"].contents))
    if len(parts) > _MOST_ATTRIBUTES or sorted(parts) != parts:
        raise _malformed("signed attributes out of DER order")
    return _SET + encoded[1:]


def check_der(data: bytes) -> None:
    """Raises :class:`SignedDataError` unless ``data`` is one value whose lengths are all in DER's shortest form."""
    end = _walk(data, 0, len(data), 0)
    if end != len(data):
        raise _malformed("bytes behind the value")


def _walk(data: bytes, at: int, end: int, depth: int) -> int:
    """The end of the value at ``at``; looks into constructed ones."""
    if depth > _DEEPEST or at + 2 > end or data[at] & _HIGH_TAG == _HIGH_TAG:
        raise _malformed("nested too deep, cut off, or a tag above 30")
    start, length = _length(data, at + 1)
    stop = start + length
    if stop > end:
        raise _malformed("a length beyond its value")
    inner = start
    while data[at] & _CONSTRUCTED and inner < stop:
        inner = _walk(data, inner, stop, depth + 1)
    return stop


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Where the content begins and how long it is (X.690 10.1)."""
    first = data[at]
    if first < _LONG_LENGTH:
        return at + 1, first
    octets = data[at + 1 : at + 1 + (first & ~_LONG_LENGTH)]
    length = int.from_bytes(octets)
    if not octets or octets[0] == 0 or length < _LONG_LENGTH:
        raise _malformed("a length that is not DER")
    return at + 1 + len(octets), length


def _parts(contents: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(contents):
        length = parser.peek(contents[at:])
        yield contents[at : at + length]
        at += length


def _values(info: cms.SignerInfo) -> dict[str, Any]:
    """The values of the signed attributes; each type once, with one value."""
    found: dict[str, Any] = {}
    for attribute in info["signed_attrs"]:
        name = str(attribute["type"].native)
        if name in found:
            raise _malformed(f"attribute {name} stands twice")
        (value,) = _one(attribute["values"], f"value of {name}")
        found[name] = value if name in {_ESS_V1, _ESS_V2} else value.native
    missing = {"content_type", "message_digest"} - found.keys()
    if missing:
        raise _malformed(f"without {', '.join(sorted(missing))}")
    return found


def _one(values: Any, what: str) -> Any:  # noqa: ANN401  asn1crypto carries no types
    if len(values) != 1:
        raise _malformed(f"{len(values)} times {what}")
    return values


def certificates_of(data: cms.SignedData) -> tuple[x509.Certificate, ...]:
    """The certificates beside the signature that can be read; others, and attribute certificates, are passed over."""
    found = []
    for choice in list(data["certificates"] or ())[:_MOST_CERTIFICATES]:
        if choice.name == "certificate":
            try:
                found.append(x509.load_der_x509_certificate(choice.chosen.dump()))
            except (*MALFORMED, *UNREADABLE):
                continue
    return tuple(found)


def _named(values: dict[str, Any], info: cms.SignerInfo, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate that ESSCertIDv2, or else ESSCertID, and the signer identifier name (RFC 5035 3, 4).

    SHA-1 in ESSCertID is what RFC 2634 gives it; nobody can make a second certificate of one digest.
    """
    name = _ESS_V2 if _ESS_V2 in values else _ESS_V1
    if name not in values:
        raise SignedDataError(
            "certificate-not-named",
            "签名属性没有指明签名证书（signing-certificate）",
            "no signed attribute names the signing certificate (signing-certificate)",
        )
    first = values[name]["certs"][0]
    digest = str(first["hash_algorithm"]["algorithm"].native) if name == _ESS_V2 else "sha1"
    if digest not in HASHES:
        raise _malformed(f"ESSCertID by {digest}")
    for each in certificates:
        der = each.public_bytes(Encoding.DER)
        if new_hash(digest, der).digest() == first["cert_hash"].native and _identified(each, info, first):
            return each
    raise SignedDataError(
        "certificate-swapped",
        "签名所附证书不是签名属性指明的那一张",
        "no certificate beside the signature is the one that its signed attributes name",
    )


def _identified(certificate: x509.Certificate, info: cms.SignerInfo, ess: Any) -> bool:  # noqa: ANN401  asn1crypto
    choice = info["sid"]
    if choice.name == "issuer_and_serial_number":
        if not _is(certificate, choice.chosen["issuer"], choice.chosen["serial_number"].native):
            return False
    elif _key_identifier(certificate) != choice.chosen.native:
        return False
    serial = ess["issuer_serial"]
    if not isinstance(serial, tsp.IssuerSerial):
        return True
    names = [each.chosen.untag() for each in serial["issuer"] if each.name == "directory_name"]
    return any(_is(certificate, name, serial["serial_number"].native) for name in names)


def _is(certificate: x509.Certificate, issuer: Any, serial: int) -> bool:  # noqa: ANN401  asn1crypto
    same: bool = certificate.issuer.public_bytes() == issuer.dump()
    return same and certificate.serial_number == serial


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def weak_digest(name: str) -> bool:
    """Whether nothing new may rest on this digest."""
    return name == SHA1.name


def _malformed(found: str) -> SignedDataError:
    return SignedDataError("cms-malformed", f"签名数据（CMS）不合格式：{found}", f"the CMS is malformed: {found}")
