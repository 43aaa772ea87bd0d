"""One use of a key, checked with the certificate it belongs to before anything leaves."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from authority.errors import ProfileError
from authority.issue import SIGNATURE_ALGORITHMS, wrong_signature
from keystore.interface import Grounds, Permit, Purpose, SigningKey


def sign_checked(
    key: SigningKey, purpose: Purpose, certificate: x509.Certificate, message: bytes, *, grounds: Grounds | None = None
) -> bytes:
    """The signature of ``key`` over ``message``, by one permit, verified with the key in ``certificate``.

    Raises :class:`ProfileError` before the key is used when it was made for anything but ``purpose``,
    :class:`IssuedSignatureError` after it, and what the key raises.
    """
    if key.purpose != purpose or key.algorithm not in SIGNATURE_ALGORITHMS:
        raise ProfileError(
            "key-purpose",
            f"密钥 {key.ref} 的用途为 {key.purpose}（{key.algorithm}），应为 {purpose}",
            f"key {key.ref} is for {key.purpose} ({key.algorithm}), expected {purpose}",
        )
    signature = key.sign(Permit.to_sign(key, message, grounds), message)
    public_key = certificate.public_key()
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, message, ec.ECDSA(SHA256()))
            return signature
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, message, padding.PKCS1v15(), SHA256())
            return signature
    except InvalidSignature:
        pass
    raise wrong_signature(key)
