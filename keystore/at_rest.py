"""How a private key lies on disk: a JSON file, encrypted with AES-256-GCM under the key-encryption key.

What stands beside the ciphertext in the clear (reference, purpose, algorithm, version, public key) is
bound to it as additional authenticated data, so a file cannot be passed off as another key's.
"""

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keystore.interface import (
    Algorithm,
    KeyEncryptionKeyError,
    KeyUnreadableError,
    Purpose,
)
from keystore.private_file import read_private, write_private

VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12
FIELDS = {"v", "ref", "purpose", "algorithm", "public_key", "key_encryption_key", "nonce", "ciphertext"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHeader:
    """What is known of a key without the key-encryption key."""

    ref: str
    purpose: Purpose
    algorithm: Algorithm
    public_key: bytes  # SubjectPublicKeyInfo, DER

    def authenticated_data(self) -> bytes:
        """Canonical JSON (RFC 8785; all values are ASCII, so sorted keys suffice)."""
        value = {
            "algorithm": self.algorithm,
            "public_key": b64encode(self.public_key).decode(),
            "purpose": self.purpose,
            "ref": self.ref,
            "v": VERSION,
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class KeyEncryptionKey:
    """The key that encrypts the private keys at rest. Its bytes are kept inside the cipher only."""

    __slots__ = ("_cipher", "fingerprint")

    def __init__(self, secret: bytes) -> None:
        """``secret`` is 32 random bytes."""
        self._cipher = AESGCM(secret)
        self.fingerprint = hmac.digest(secret, b"yinxin/key-encryption-key/v1", "sha256")[:8].hex()

    @classmethod
    def create(cls, path: Path) -> None:
        """Write 32 random bytes, mode 0600, never over an existing file. Raises ``KeyNotWrittenError``."""
        write_private(path, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises :class:`KeyEncryptionKeyError`."""
        try:
            secret = read_private(path, limit=KEY_BYTES, error=KeyEncryptionKeyError)
        except FileNotFoundError:
            raise KeyEncryptionKeyError(
                f"找不到密钥加密密钥文件 {path}", f"the key-encryption key {path} does not exist"
            ) from None
        if len(secret) != KEY_BYTES:
            raise KeyEncryptionKeyError(
                f"密钥加密密钥 {path} 为 {len(secret)} 字节，应为 {KEY_BYTES} 字节",
                f"the key-encryption key {path} has {len(secret)} bytes, expected {KEY_BYTES}",
            )
        return cls(secret)

    def encrypt(self, header: KeyHeader, private_key: bytes) -> bytes:
        """The file for ``private_key`` (PKCS #8, DER)."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, private_key, header.authenticated_data())
        value = {
            **json.loads(header.authenticated_data()),
            "key_encryption_key": self.fingerprint,
            "nonce": b64encode(nonce).decode(),
            "ciphertext": b64encode(sealed).decode(),
        }
        return json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"

    def decrypt(self, ref: str, content: bytes) -> tuple[KeyHeader, bytes]:
        """Header and private key (PKCS #8, DER) of the file that should hold ``ref``.

        Raises :class:`KeyUnreadableError`, and its child :class:`KeyEncryptionKeyError` where the file
        names another key-encryption key.
        """
        value = _parse(ref, content)
        header = _header(ref, value)
        if value["key_encryption_key"] != self.fingerprint:
            raise KeyEncryptionKeyError(
                f"密钥 {ref} 由指纹 {value['key_encryption_key']!r} 的密钥加密，现有 {self.fingerprint!r}",
                f"key {ref} is encrypted under the key-encryption key {value['key_encryption_key']!r},"
                f" but the one given is {self.fingerprint!r}",
            )
        try:
            nonce, sealed = (
                b64decode(value["nonce"], validate=True),
                b64decode(value["ciphertext"], validate=True),
            )
            return header, self._cipher.decrypt(nonce, sealed, header.authenticated_data())
        except (InvalidTag, ValueError):
            _changed(ref)

    def __repr__(self) -> str:
        return f"<KeyEncryptionKey {self.fingerprint}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key-encryption key is never copied or pickled")


def _parse(ref: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        _changed(ref)
    if not isinstance(value, dict) or value.keys() != FIELDS:
        _changed(ref)
    if value["v"] is True or value["v"] != VERSION:
        raise KeyUnreadableError(
            f"密钥 {ref} 的文件版本为 {value['v']!r}，应为 {VERSION}",
            f"the file of key {ref} has version {value['v']!r}, expected {VERSION}",
        )
    if not all(isinstance(value[name], str) for name in FIELDS - {"v"}):
        _changed(ref)
    return value


def _header(ref: str, value: dict[str, Any]) -> KeyHeader:
    if value["ref"] != ref:
        raise KeyUnreadableError(
            f"密钥文件写明 {value['ref']!r}，应为 {ref!r}",
            f"the key file says it holds {value['ref']!r}, expected {ref!r}",
        )
    if value["purpose"] not in get_args(Purpose) or value["algorithm"] not in get_args(Algorithm):
        _changed(ref)
    try:
        public_key = b64decode(value["public_key"], validate=True)
    except ValueError:
        _changed(ref)
    return KeyHeader(ref=ref, purpose=value["purpose"], algorithm=value["algorithm"], public_key=public_key)


def _changed(ref: str) -> NoReturn:
    raise KeyUnreadableError(
        f"密钥 {ref} 的文件已损坏或被改动：认证标签不符",
        f"the file of key {ref} is damaged or was changed: it does not authenticate",
    ) from None
