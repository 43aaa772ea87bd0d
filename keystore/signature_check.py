"""Whether a signature that another program made fits the key it should be of."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def signature_fits(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Check ``signature``, in the form ``SigningKey.sign`` gives, under ``public_key`` (SubjectPublicKeyInfo, DER)."""
    key = load_der_public_key(public_key)
    try:
        match key:
            case EllipticCurvePublicKey():
                key.verify(signature, message, ECDSA(SHA256()))
            case RSAPublicKey():
                key.verify(signature, message, PKCS1v15(), SHA256())
            case Ed25519PublicKey():
                key.verify(signature, message)
            case _:
                return False
    except (InvalidSignature, ValueError):
        return False
    return True
