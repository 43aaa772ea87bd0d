"""Key pairs inside a token: make, find, check that they cannot leave, read the public half, sign."""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NoReturn, cast

import pkcs11
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import AttributeTypeInvalid

from keystore import key_pairs
from keystore.interface import (
    Algorithm,
    KeyExtractableError,
    KeyNotFoundError,
    KeyNotWrittenError,
    KeyUnreadableError,
)

_P256: Final = bytes.fromhex("06082a8648ce3d030107")  # OBJECT IDENTIFIER secp256r1
_EDWARDS25519: Final = bytes.fromhex("130c656477617264733235353139")  # PrintableString "edwards25519"
_ED25519_OID: Final = bytes.fromhex("06032b6570")  # PKCS #11 3.1 allows id-Ed25519 as well
_RSA_BITS: Final = 3072
_MECHANISMS: Final[Mapping[Algorithm, Mechanism]] = {
    "ecdsa-p256-sha256": Mechanism.ECDSA,  # SoftHSM has no CKM_ECDSA_SHA256: the hash is taken outside
    "rsa3072-sha256": Mechanism.SHA256_RSA_PKCS,
    "ed25519": Mechanism.EDDSA,
}
_PRIVATE_TEMPLATE: Final = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.MODIFIABLE: False,
}
_PUBLIC_TEMPLATE: Final = {Attribute.PRIVATE: True, Attribute.MODIFIABLE: False}
"""The public half is private to those logged in: nobody else may put another in its place."""

HELD: Final = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.NEVER_EXTRACTABLE: True,
    Attribute.LOCAL: True,
    Attribute.SIGN: True,
}
"""What the token must say of a private key (PKCS #11 2.40 sections 4.4, 4.7, 4.9)."""


def make(session: pkcs11.Session, name: str, algorithm: Algorithm) -> bytes:
    """Generate the key pair ``name`` in the token; its public key (SubjectPublicKeyInfo, DER).

    Raises :class:`KeyExtractableError` or :class:`KeyNotWrittenError` where the token made something
    else than was asked for; then nothing of it is left. :class:`PKCS11Error` passes through.
    """
    public, private = _generate(session, name, algorithm)
    try:
        check_held(name, private)
        found, public_key = _public_key(name, public)
        _check_pair(name, algorithm, found=found, public_key=public_key, private=private)
    except Exception:
        for each in (private, public):
            each.destroy()
        raise
    return public_key


def _generate(session: pkcs11.Session, name: str, algorithm: Algorithm) -> tuple[pkcs11.PublicKey, pkcs11.PrivateKey]:
    how: dict[str, Any] = {
        "label": name,
        "id": object_id(name),
        "store": True,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        "public_template": _PUBLIC_TEMPLATE,
        "private_template": _PRIVATE_TEMPLATE,
    }
    if algorithm == "rsa3072-sha256":
        return session.generate_keypair(KeyType.RSA, _RSA_BITS, **how)
    if algorithm == "ed25519":
        parameters = {Attribute.EC_PARAMS: _EDWARDS25519}
        domain = session.create_domain_parameters(KeyType.EC_EDWARDS, parameters, local=True)
        return domain.generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, **how)
    domain = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: _P256}, local=True)
    return domain.generate_keypair(**how)


def _check_pair(
    name: str, algorithm: Algorithm, *, found: Algorithm, public_key: bytes, private: pkcs11.PrivateKey
) -> None:
    """The two halves belong together. The bytes signed are text, so no certificate, attribute set or tree head."""
    message = b"yinxin: this key pair was generated here " + secrets.token_hex(32).encode()
    try:
        if found == algorithm:
            key_pairs.verify(public_key, sign(private, algorithm, message), message)
            return
    except InvalidSignature:
        pass
    raise KeyNotWrittenError(
        f"令牌为 {name} 生成的公私钥不是一对 {algorithm}",
        f"what the token generated for {name} is no pair of {algorithm}",
    )


def names(session: pkcs11.Session) -> list[str]:
    """The labels of all private keys in the token that can be read as text."""
    found = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    return [label for each in found if (label := _label(each)) is not None]


def _label(key: pkcs11.Object) -> str | None:
    try:
        return str(key[Attribute.LABEL])
    except (AttributeTypeInvalid, UnicodeDecodeError):
        return None  # another application's key: ours have labels of ASCII


def objects(session: pkcs11.Session, name: str, *kinds: ObjectClass) -> list[pkcs11.Object]:
    """All objects of the key ``name`` of these classes."""
    wanted = {Attribute.LABEL: name, Attribute.ID: object_id(name)}
    return [each for kind in kinds for each in session.get_objects({**wanted, Attribute.CLASS: kind})]


def private_key(session: pkcs11.Session, name: str) -> pkcs11.PrivateKey:
    """The private key ``name``. Raises ``KeyNotFoundError``, ``KeyUnreadableError``, ``KeyExtractableError``."""
    found = objects(session, name, ObjectClass.PRIVATE_KEY)
    if not found:
        raise KeyNotFoundError(f"令牌中没有密钥 {name}", f"there is no key {name} in the token")
    if len(found) > 1:
        _unreadable(name, f"私钥有 {len(found)} 个，应恰有一个", f"{len(found)} private keys, expected one")
    private = cast("pkcs11.PrivateKey", found[0])
    check_held(name, private)
    return private


def public_key(session: pkcs11.Session, name: str) -> tuple[Algorithm, bytes]:
    """Algorithm and SubjectPublicKeyInfo of the key ``name``. Raises :class:`KeyUnreadableError`."""
    found = objects(session, name, ObjectClass.PUBLIC_KEY)
    if len(found) != 1:
        _unreadable(name, f"公钥有 {len(found)} 个，应恰有一个", f"{len(found)} public keys, expected one")
    return _public_key(name, found[0])


def check_held(name: str, private: pkcs11.Object) -> None:
    """The key was made in the token and cannot leave it. Raises :class:`KeyExtractableError`."""
    said = private.get_attributes(list(HELD))
    wrong = [attribute.name for attribute, expected in HELD.items() if said.get(attribute) is not expected]
    if wrong:
        raise KeyExtractableError(
            f"令牌未保证密钥 {name} 在内部生成且不可导出：{', '.join(wrong)} 不符",
            f"the token does not say that key {name} was made in it and cannot leave: {', '.join(wrong)}",
        )


def sign(private: pkcs11.PrivateKey, algorithm: Algorithm, message: bytes) -> bytes:
    """The signature in the form of :meth:`keystore.interface.SigningKey.sign`. ``PKCS11Error`` passes through."""
    key = cast("pkcs11.SignMixin", private)
    data = sha256(message).digest() if algorithm == "ecdsa-p256-sha256" else message
    raw = key.sign(data, mechanism=_MECHANISMS[algorithm], buffer_size=512)
    if algorithm != "ecdsa-p256-sha256":
        return raw
    half = len(raw) // 2  # r and s, each as long as the order (PKCS #11 2.40 mechanisms 2.3.1)
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def object_id(name: str) -> bytes:
    """CKA_ID: the 16 bytes in the name."""
    return bytes.fromhex(name.rpartition("-")[2])


def _public_key(name: str, public: pkcs11.Object) -> tuple[Algorithm, bytes]:
    try:
        return _read_public(public)
    except ValueError:
        _unreadable(name, "公钥的类型或内容不符", "the public key is of another type, or no key")


def _read_public(public: pkcs11.Object) -> tuple[Algorithm, bytes]:
    match public[Attribute.KEY_TYPE]:
        case KeyType.RSA:
            return "rsa3072-sha256", _rsa(public)
        case KeyType.EC if public[Attribute.EC_PARAMS] == _P256:
            point = _point(public, 65)
            return "ecdsa-p256-sha256", _spki(EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point))
        case KeyType.EC_EDWARDS if public[Attribute.EC_PARAMS] in {_EDWARDS25519, _ED25519_OID}:
            return "ed25519", _spki(Ed25519PublicKey.from_public_bytes(_point(public, 32)))
    raise ValueError


def _rsa(public: pkcs11.Object) -> bytes:
    modulus, exponent = (int.from_bytes(public[each]) for each in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT))
    if modulus.bit_length() != _RSA_BITS:
        raise ValueError
    return _spki(RSAPublicNumbers(exponent, modulus).public_key())


def _point(public: pkcs11.Object, length: int) -> bytes:
    """CKA_EC_POINT: an OCTET STRING around the point; some modules leave the wrapping out."""
    value = bytes(public[Attribute.EC_POINT])
    return value[2:] if value[:2] == bytes((4, length)) and len(value) == length + 2 else value


def _spki(key: key_pairs.PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _unreadable(name: str, zh: str, en: str) -> NoReturn:
    raise KeyUnreadableError(f"令牌中的密钥 {name}：{zh}", f"the key {name} in the token: {en}") from None
