"""ASN.1 types that time-stamps and revocation answers share, on the DER coder of ``cryptography`` (RFC 5280 4.1).

``cryptography.hazmat.asn1`` is young; it is used where a service answers many callers, since it is strict and fast.
"""

from hashlib import sha256
from typing import Annotated, Any, Final

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier as Oid

SHA_256: Final = Oid("2.16.840.1.101.3.4.2.1")
ECDSA_WITH_SHA256: Final = Oid("1.2.840.10045.4.3.2")
SHA256_WITH_RSA: Final = Oid("1.2.840.113549.1.1.11")


@asn1.sequence
class AlgorithmIdentifier:
    """RFC 5280 4.1.1.2, for algorithms whose parameters are NULL or absent."""

    algorithm: Oid
    parameters: asn1.Null | None


@asn1.sequence
class TbsCertificate:
    """RFC 5280 4.1.2."""

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
class Certificate:
    """RFC 5280 4.1."""

    tbs: TbsCertificate
    algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class PublicKeyInfo:
    """SubjectPublicKeyInfo, RFC 5280 4.1.2.7."""

    algorithm: asn1.TLV
    key: asn1.BitString


@asn1.sequence
class Extension:
    """RFC 5280 4.1; ``critical`` may be written out although it is false."""

    kind: Oid
    critical: bool | None
    value: bytes


DIGEST_SHA256: Final = AlgorithmIdentifier(algorithm=SHA_256, parameters=None)
# RFC 5754 3.2 and 3.3: NULL parameters with RSA, none with ECDSA.
SIGNATURES: Final = {
    "ecdsa-p256-sha256": AlgorithmIdentifier(algorithm=ECDSA_WITH_SHA256, parameters=None),
    "rsa3072-sha256": AlgorithmIdentifier(algorithm=SHA256_WITH_RSA, parameters=asn1.Null()),
}


def tlv(der: bytes) -> Any:  # noqa: ANN401  the coder's TLV type is not usable as an annotation
    """``der`` as an element of a larger structure. Raises ``ValueError``."""
    return asn1.decode_der(asn1.TLV, der)


def certificate_hash(der: bytes) -> bytes:
    """What an ESSCertIDv2 holds by default (RFC 5035 4): the SHA-256 of the certificate."""
    return sha256(der).digest()
