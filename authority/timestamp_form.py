"""The ASN.1 of time-stamps: RFC 3161 requests, tokens and responses, CMS (RFC 5652), ESSCertIDv2 (RFC 5035)."""

from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier as Oid

from authority.der import AlgorithmIdentifier


@asn1.sequence
class Imprint:
    """MessageImprint of an algorithm we know."""

    algorithm: AlgorithmIdentifier
    digest: bytes


@asn1.sequence
class AnyImprint:
    """MessageImprint as it comes: an unknown algorithm gets an answer of its own."""

    algorithm: list[asn1.TLV]
    digest: bytes


@asn1.sequence
class Request:
    """TimeStampReq, RFC 3161 2.4.1; a false ``certificates`` may be written out."""

    version: int
    imprint: AnyImprint
    policy: Oid | None
    nonce: int | None
    certificates: bool | None
    extensions: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]


@asn1.sequence
class Accuracy:
    """RFC 3161 2.4.2."""

    seconds: int | None
    millis: Annotated[int | None, asn1.Implicit(0)]
    micros: Annotated[int | None, asn1.Implicit(1)]


@asn1.sequence
class TstInfo:
    """TSTInfo, RFC 3161 2.4.2; ordering stands before the nonce and is false, which DER leaves out."""

    version: int
    policy: Oid
    imprint: Imprint
    serial: int
    time: asn1.GeneralizedTime
    accuracy: Accuracy
    nonce: int | None


@asn1.sequence
class EssCertIdV2:
    """RFC 5035 4: SHA-256 is the default of hashAlgorithm, and DER leaves defaults out."""

    cert_hash: bytes


@asn1.sequence
class SigningCertificateV2:
    """RFC 5035 3."""

    certs: list[EssCertIdV2]


@asn1.sequence
class Attribute:
    """RFC 5652 5.3."""

    type: Oid
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class IssuerAndSerialNumber:
    """RFC 5652 10.2.4."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class SignerInfo:
    """RFC 5652 5.3."""

    version: int
    sid: IssuerAndSerialNumber
    digest_algorithm: AlgorithmIdentifier
    signed_attributes: asn1.TLV
    signature_algorithm: AlgorithmIdentifier
    signature: bytes


@asn1.sequence
class Content:
    """EncapsulatedContentInfo, RFC 5652 5.2."""

    content_type: Oid
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """RFC 5652 5.1."""

    version: int
    digest_algorithms: asn1.SetOf[AlgorithmIdentifier]
    content_info: Content
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    signer_infos: asn1.SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    """RFC 5652 3."""

    content_type: Oid
    content: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class Status:
    """PKIStatusInfo, RFC 3161 2.4.2."""

    status: int
    text: list[str] | None
    failure: asn1.BitString | None


@asn1.sequence
class Granted:
    """TimeStampResp with a token."""

    status: Status
    token: asn1.TLV


@asn1.sequence
class Rejected:
    """TimeStampResp without one."""

    status: Status
