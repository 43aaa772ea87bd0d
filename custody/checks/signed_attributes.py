"""The bytes that a CMS signer signs, taken apart: only the one form that this service writes passes."""

from base64 import b64decode
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custody.checks.refusal import refuse, refuse_unless
from custody.requests import UseRequest
from signer.cms import DATA, SignedAttributes, read_signed_attributes
from signer.errors import SignerError


def signed_attributes_of(request: UseRequest, content_type: str = DATA.dotted_string) -> SignedAttributes:
    """What the message says, if it is exactly content-type, message-digest and signing-certificate-v2."""
    try:
        found = read_signed_attributes(request.message)
    except SignerError as error:
        refuse(error.zh, error.en)
    refuse_unless(
        found.content_type == content_type,
        f"签名属性的内容类型为 {found.content_type}，应为 {content_type}",
        f"the attributes are about content of type {found.content_type}, expected {content_type}",
    )
    return found


def certificate_of(request: UseRequest, attributes: SignedAttributes) -> x509.Certificate:
    """The certificate in the grounds, if the attributes name it and it is for this key."""
    der = decoded(request, "certificate")
    try:
        certificate = x509.load_der_x509_certificate(der)
        public_key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        refuse("附上的证书不可读", "the certificate that came along cannot be read")
    refuse_unless(
        sha256(der).digest() == attributes.certificate_digest,
        "签名属性指的是另一张证书",
        "the attributes name another certificate than the one that came along",
    )
    refuse_unless(
        public_key == request.public_key,
        f"附上的证书不是密钥 {request.key_ref} 的",
        f"the certificate that came along is not for key {request.key_ref}",
    )
    return certificate


def decoded(request: UseRequest, name: str) -> bytes:
    """A binary part of the grounds. Refuses when it is not there."""
    value: Any = (request.grounds or {}).get(name)
    try:
        return b64decode(value, validate=True)
    except (TypeError, ValueError):
        refuse(f"没有附上 {name}", f"{name} did not come along")
