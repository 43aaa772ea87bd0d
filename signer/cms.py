"""CMS SignedData for PAdES (``ETSI.CAdES.detached``), written with the DER encoder of ``cryptography``.

RFC 5652 for the structure, RFC 5035 for signing-certificate-v2, ETSI EN 319 122-1 and EN 319 142-1 6.3
for what a baseline B-B signature holds. ``cryptography.hazmat.asn1`` is young: all its types of the
signer stand in this module, and golden bytes under ``tests/vectors/cms`` guard what it writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Final, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import ObjectIdentifier as Oid

from signer.errors import SignatureMismatchError, SignerError

DATA: Final = Oid("1.2.840.113549.1.7.1")
SIGNED_DATA: Final = Oid("1.2.840.113549.1.7.2")
CONTENT_TYPE: Final = Oid("1.2.840.113549.1.9.3")
MESSAGE_DIGEST: Final = Oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE_V2: Final = Oid("1.2.840.113549.1.9.16.2.47")
SIGNATURE_TIME_STAMP: Final = Oid("1.2.840.113549.1.9.16.2.14")
SHA_256: Final = Oid("2.16.840.1.101.3.4.2.1")
ECDSA_WITH_SHA256: Final = Oid("1.2.840.10045.4.3.2")
SHA256_WITH_RSA: Final = Oid("1.2.840.113549.1.1.11")


@asn1.sequence
class AlgorithmIdentifier:
    """RFC 5280 4.1.1.2, for algorithms whose parameters are NULL or absent."""

    algorithm: Oid
    parameters: asn1.Null | None


@asn1.sequence
class _TbsCertificate:
    version: Annotated[int, asn1.Explicit(0), asn1.Default(0)]
    serial: int
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    public_key: asn1.TLV
    issuer_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[asn1.TLV] | None, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    tbs: _TbsCertificate
    algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class _EssCertIdV2:
    """RFC 5035 4: SHA-256 is the default of hashAlgorithm, and DER leaves defaults out."""

    cert_hash: bytes


@asn1.sequence
class _SigningCertificateV2:
    certs: list[_EssCertIdV2]


@asn1.sequence
class _Attribute:
    type: Oid
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _Attributes:
    attributes: asn1.SetOf[_Attribute]


@asn1.sequence
class _IssuerAndSerialNumber:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _SignerInfo:
    version: int
    sid: _IssuerAndSerialNumber
    digest_algorithm: AlgorithmIdentifier
    signed_attributes: asn1.TLV
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned_attributes: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _EncapsulatedContentInfo:
    content_type: Oid


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: asn1.SetOf[AlgorithmIdentifier]
    content_info: _EncapsulatedContentInfo
    certificates: Annotated[asn1.SetOf[asn1.TLV], asn1.Implicit(0)]
    signer_infos: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _ContentInfo:
    content_type: Oid
    content: Annotated[_SignedData, asn1.Explicit(0)]


_DIGEST_ALGORITHM = AlgorithmIdentifier(algorithm=SHA_256, parameters=None)
# RFC 5754 3.2 and 3.3: NULL parameters with RSA, none with ECDSA.
SIGNATURE_ALGORITHMS: Final[Mapping[str, AlgorithmIdentifier]] = {
    "ecdsa-p256-sha256": AlgorithmIdentifier(algorithm=ECDSA_WITH_SHA256, parameters=None),
    "rsa3072-sha256": AlgorithmIdentifier(algorithm=SHA256_WITH_RSA, parameters=asn1.Null()),
}
_LONGEST_ECDSA_P256 = 72


def signed_attributes(document_digest: bytes, certificate_der: bytes) -> bytes:
    """The DER SET OF Attribute that the key signs (RFC 5652 5.4, EN 319 142-1 6.3).

    ``document_digest`` is the SHA-256 of the ByteRange, ``certificate_der`` the signer's certificate.
    content-type, message-digest and signing-certificate-v2; no signing-time, which PAdES forbids.
    """
    return _three_attributes(DATA, document_digest, sha256(certificate_der).digest())


def _three_attributes(content_type: Oid, message_digest: bytes, certificate_digest: bytes) -> bytes:
    reference = _SigningCertificateV2(certs=[_EssCertIdV2(cert_hash=certificate_digest)])
    attributes = [
        _attribute(CONTENT_TYPE, content_type),
        _attribute(MESSAGE_DIGEST, message_digest),
        _attribute(SIGNING_CERTIFICATE_V2, reference),
    ]
    return asn1.encode_der(asn1.SetOf(attributes))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAttributes:
    """What three signed attributes say. Digests are SHA-256: of the content, and of the signer's certificate."""

    content_type: str  # dotted OID
    message_digest: bytes
    certificate_digest: bytes


def read_signed_attributes(der: bytes) -> SignedAttributes:
    """The reverse of :func:`signed_attributes`, for any content type.

    Raises :class:`SignerError` ``attributes-unknown`` unless ``der`` is, byte for byte, the DER SET OF exactly
    content-type, message-digest and signing-certificate-v2 with one certificate.
    """
    try:
        values = {each.type: each.values.as_list() for each in _set_of_attributes(der)}
        found = SignedAttributes(
            content_type=_one(values[CONTENT_TYPE]).parse(Oid).dotted_string,
            message_digest=_one(values[MESSAGE_DIGEST]).parse(bytes),
            certificate_digest=_one(_one(values[SIGNING_CERTIFICATE_V2]).parse(_SigningCertificateV2).certs).cert_hash,
        )
        written = _three_attributes(Oid(found.content_type), found.message_digest, found.certificate_digest)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError):
        written = b""
    if not der or written != der:
        raise SignerError(
            "attributes-unknown",
            "要签名的不是恰有 content-type、message-digest、signing-certificate-v2 三项的签名属性",
            "not signed attributes of exactly content-type, message-digest and signing-certificate-v2",
        )
    return found


def _set_of_attributes(der: bytes) -> Sequence[_Attribute]:
    # The decoder takes no set by itself: as a member of a sequence it does.
    length = len(der)
    octets = length.to_bytes(max(1, (length.bit_length() + 7) // 8))
    head = bytes([0x30, length]) if length < 0x80 else bytes([0x30, 0x80 | len(octets)]) + octets  # noqa: PLR2004  X.690 8.1.3
    return list(asn1.decode_der(_Attributes, head + der).attributes.as_list())


def _one(values: Sequence[Any]) -> Any:  # noqa: ANN401  TLV values carry no type
    (value,) = values
    return value


def signed_data(
    attributes: bytes, signature: bytes, chain: Sequence[bytes], algorithm: str, token: bytes | None = None
) -> bytes:
    """The DER ContentInfo that goes into ``/Contents``: detached SignedData, version 1, one signer.

    ``attributes`` comes from :func:`signed_attributes`; ``chain`` is DER, the signer's certificate
    first; ``algorithm`` is a key of :data:`SIGNATURE_ALGORITHMS`; ``token`` is a time-stamp token over the
    signature (RFC 3161 appendix A). Raises :class:`SignerError` (``algorithm-unknown``,
    ``certificate-unreadable``, ``token-unreadable``).
    """
    certificate = _certificate(chain[0])
    signer = _SignerInfo(
        version=1,
        sid=_IssuerAndSerialNumber(issuer=certificate.tbs.issuer, serial=certificate.tbs.serial),
        digest_algorithm=_DIGEST_ALGORITHM,
        # RFC 5652 5.3: signedAttrs is [0] IMPLICIT, and only its tag differs from what was signed.
        signed_attributes=_tlv(b"\xa0" + attributes[1:]),
        signature_algorithm=_algorithm(algorithm),
        signature=signature,
        unsigned_attributes=None if token is None else _unsigned_attributes(token),
    )
    content = _SignedData(
        version=1,
        digest_algorithms=asn1.SetOf([_DIGEST_ALGORITHM]),
        content_info=_EncapsulatedContentInfo(content_type=DATA),
        certificates=asn1.SetOf([_tlv(each) for each in chain]),
        signer_infos=asn1.SetOf([signer]),
    )
    return asn1.encode_der(_ContentInfo(content_type=SIGNED_DATA, content=content))


@lru_cache(maxsize=256)
def longest_signed_data(chain: tuple[bytes, ...], algorithm: str, token_length: int = 0) -> int:
    """Bytes that :func:`signed_data` takes at most, known before the key is used. Raises as it does.

    ``token_length`` is that of the longest time-stamp token, 0 for none.
    """
    key, attributes = _public_key(chain[0]), signed_attributes(bytes(32), chain[0])
    longest = key.key_size // 8 if isinstance(key, rsa.RSAPublicKey) else _LONGEST_ECDSA_P256
    token = asn1.encode_der(bytes(token_length)) if token_length else None
    return len(signed_data(attributes, b"\xff" * longest, chain, algorithm, token))


def require_der(token: bytes) -> None:
    """Raise :class:`SignerError` (``token-unreadable``) unless ``token`` is one DER value."""
    _unsigned_attributes(token)


def verify_signature(signature: bytes, message: bytes, certificate_der: bytes, algorithm: str) -> None:
    """Check ``signature`` over ``message`` with the certificate's key.

    Raises :class:`SignatureMismatchError` if it does not verify or the key is of another kind.
    """
    key = _public_key(certificate_der)
    try:
        if algorithm == "ecdsa-p256-sha256" and _is_p256(key):
            key.verify(signature, message, ec.ECDSA(SHA256()))
            return
        if algorithm == "rsa3072-sha256" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
            return
    except InvalidSignature:
        pass
    raise SignatureMismatchError(
        "signature-mismatch",
        f"签名值（{algorithm}）不能用证书中的公钥验证，应为该证书对应密钥所签",
        f"the {algorithm} signature does not verify with the key in the certificate it should belong to",
    )


def _unsigned_attributes(token: bytes) -> Any:  # noqa: ANN401  the encoder's set type takes no annotation here
    try:
        return asn1.SetOf([_Attribute(type=SIGNATURE_TIME_STAMP, values=asn1.SetOf([_tlv(token)]))])
    except ValueError as error:
        raise SignerError(
            "token-unreadable", "时间戳令牌不是有效的 DER 编码", "the time-stamp token is not one value in DER"
        ) from error


def _attribute(kind: Oid, value: Oid | bytes | _SigningCertificateV2) -> _Attribute:
    return _Attribute(type=kind, values=asn1.SetOf([_tlv(asn1.encode_der(value))]))


def _tlv(der: bytes) -> Any:  # noqa: ANN401  the encoder's TLV type is not usable as an annotation
    return asn1.decode_der(asn1.TLV, der)


@lru_cache(maxsize=256)
def _certificate(der: bytes) -> _Certificate:
    try:
        return asn1.decode_der(_Certificate, der)
    except ValueError as error:
        raise SignerError(
            "certificate-unreadable",
            "签名证书不是有效的 DER 编码 X.509 证书",
            "the signer's certificate is not an X.509 certificate in DER",
        ) from error


@lru_cache(maxsize=256)
def _public_key(certificate_der: bytes) -> object:
    return load_der_public_key(asn1.encode_der(_certificate(certificate_der).tbs.public_key))


def _is_p256(key: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == ec.SECP256R1.name


def _algorithm(name: str) -> AlgorithmIdentifier:
    if name not in SIGNATURE_ALGORITHMS:
        known = ", ".join(sorted(SIGNATURE_ALGORITHMS))
        raise SignerError(
            "algorithm-unknown",
            f"不支持签名算法 {name}，支持：{known}",
            f"signature algorithm {name} is not supported, expected one of {known}",
        )
    return SIGNATURE_ALGORITHMS[name]
