"""What a transit engine says of one version of a key, checked before the key is used."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from keystore.interface import Algorithm, KeyNotFoundError, KeyUnreadableError

TYPES: Final[Mapping[Algorithm, str]] = {
    "ecdsa-p256-sha256": "ecdsa-p256",
    "rsa3072-sha256": "rsa-3072",
    "ed25519": "ed25519",
}
_ALGORITHMS: Final = {name: algorithm for algorithm, name in TYPES.items()}
_NEVER: Final = ("exportable", "allow_plaintext_backup", "imported_key", "derived")
_RSA_BITS: Final = 3072
PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersion:
    """One version of one key; ``public_key`` is a SubjectPublicKeyInfo, DER."""

    ref: str
    name: str
    version: int
    algorithm: Algorithm
    public_key: bytes


def read_version(data: Mapping[str, Any], *, ref: str, name: str, version: int) -> KeyVersion:
    """Read ``data`` of ``GET keys/<name>``.

    Raises :class:`KeyNotFoundError` without that version, :class:`KeyUnreadableError` for a key that may leave the
    service or came from outside, or of another kind. A property that is not told counts as the wrong one, except that
    older services know no imported keys.
    """
    versions = data.get("keys")
    if not isinstance(versions, dict) or str(version) not in versions:
        raise KeyNotFoundError(
            f"密钥服务中没有密钥 {name} 的第 {version} 版", f"the key service has no version {version} of key {name}"
        )
    wrong = [each for each in _NEVER if data.get(each, each != "imported_key") is not False]
    if wrong:
        raise KeyUnreadableError(
            f"密钥 {ref} 在密钥服务中设有 {'、'.join(wrong)}，应均为 false：私钥不得离开密钥服务",
            f"key {ref} has {', '.join(wrong)} set in the key service, expected false: the private key must stay there",
        )
    algorithm = _ALGORITHMS.get(str(data.get("type")))
    public_key = None if algorithm is None else _public_key(algorithm, versions[str(version)])
    if algorithm is None or public_key is None:
        raise KeyUnreadableError(
            f"密钥 {ref} 的类型为 {str(data.get('type'))[:40]!r}，应为 {'、'.join(_ALGORITHMS)}，并附公钥",
            f"key {ref} has the type {str(data.get('type'))[:40]!r}, expected one of {', '.join(_ALGORITHMS)} with its"
            " public key",
        )
    return KeyVersion(ref=ref, name=name, version=version, algorithm=algorithm, public_key=public_key)


def _public_key(algorithm: Algorithm, record: object) -> bytes | None:
    text = record.get("public_key") if isinstance(record, dict) else None
    if not isinstance(text, str):
        return None
    try:
        if algorithm == "ed25519":
            return _encoded(Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True)))
        key = load_pem_public_key(text.encode())
    except ValueError:
        return None
    match key:
        case EllipticCurvePublicKey() if algorithm == "ecdsa-p256-sha256" and isinstance(key.curve, SECP256R1):
            return _encoded(key)
        case RSAPublicKey() if algorithm == "rsa3072-sha256" and key.key_size == _RSA_BITS:
            return _encoded(key)
    return None


def _encoded(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
