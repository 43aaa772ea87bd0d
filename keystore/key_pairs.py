"""The three kinds of key pair and what each does: make, load, sign."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from keystore.interface import Algorithm

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey
PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey

_P256_SHA256 = ECDSA(SHA256())
_PKCS1 = PKCS1v15()
_SHA256 = SHA256()


def make(algorithm: Algorithm) -> PrivateKey:
    """A fresh key pair from the system's random source."""
    match algorithm:
        case "ecdsa-p256-sha256":
            return generate_ec(SECP256R1())
        case "rsa3072-sha256":
            return generate_rsa(public_exponent=65537, key_size=3072)
        case "ed25519":
            return Ed25519PrivateKey.generate()


def load(private_key: bytes) -> PrivateKey:
    """The key pair in ``private_key`` (PKCS #8, DER), which must come from :func:`dump`.

    An RSA key is not checked again: the check costs more than a hundred signatures, and the bytes
    were authenticated when they were decrypted.
    """
    key = load_der_private_key(private_key, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey):
        raise TypeError(f"no key pair of ours: {type(key).__name__}")
    return key


def dump(key: PrivateKey) -> bytes:
    """PKCS #8, DER, in the clear: for encryption at rest only."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_part(key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo, DER (RFC 5280 4.1)."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(key: PrivateKey, message: bytes) -> bytes:
    """The raw signature over ``message``: ECDSA as DER, RSA as PKCS #1 v1.5, Ed25519 as 64 bytes."""
    match key:
        case EllipticCurvePrivateKey():
            return key.sign(message, _P256_SHA256)
        case RSAPrivateKey():
            return key.sign(message, _PKCS1, _SHA256)
        case _:
            return key.sign(message)


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check a signature of :func:`sign` by ``public_key`` (SubjectPublicKeyInfo). Raises ``InvalidSignature``."""
    key = load_der_public_key(public_key)
    match key:
        case EllipticCurvePublicKey():
            key.verify(signature, message, _P256_SHA256)
        case RSAPublicKey():
            key.verify(signature, message, _PKCS1, _SHA256)
        case Ed25519PublicKey():
            key.verify(signature, message)
        case _:
            raise InvalidSignature
