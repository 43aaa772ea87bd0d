"""The narrow interface to private keys: a key is a handle that signs one permitted message.

Private keys never leave a backend. Who may sign what is decided elsewhere; the permit is how that
decision arrives here, for one key and one message, and it can be redeemed once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

Algorithm = Literal["ecdsa-p256-sha256", "rsa3072-sha256", "ed25519"]
Purpose = Literal["seal", "ca", "crl", "log", "token", "ocsp", "timestamp", "report", "witness"]


class KeystoreError(Exception):
    """The key could not be used. An operator can act; the request is not at fault."""

    code: ClassVar[str] = "keystore"

    def __init__(self, zh: str, en: str) -> None:
        """Say in Chinese and English what was found and what was expected; never a secret."""
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


class KeystoreAddressError(KeystoreError):
    """No backend serves this URI, or the URI is not complete."""

    code = "keystore-address"


class KeyNotFoundError(KeystoreError):
    """No key under this reference."""

    code = "key-not-found"


class KeyUnreadableError(KeystoreError):
    """The stored key cannot be opened: the file was changed, or its mode or owner lets others at it."""

    code = "key-unreadable"


class KeyEncryptionKeyError(KeyUnreadableError):
    """The key-encryption key is missing, has the wrong length, mode or owner, or is another one."""

    code = "key-encryption-key"


class KeyExtractableError(KeyUnreadableError):
    """The token does not vouch that the private key was made in it and cannot leave it; it is not used."""

    code = "key-extractable"


class KeyNotWrittenError(KeystoreError):
    """A new key could not be stored, e.g. the disk is full or the name is taken. No key was made."""

    code = "key-not-written"


class KeyNotDestroyedError(KeystoreError):
    """The backend could not destroy the key, or still shows it afterwards. The key may be whole."""

    code = "key-not-destroyed"


class PermitError(KeystoreError):
    """The permit is for another key, purpose or message, or was redeemed before."""

    code = "permit"


class GroundsError(KeystoreError):
    """What the permission is said to rest on was checked where the key is, and does not bear it."""

    code = "grounds-refused"


class KeyServiceBusyError(KeystoreError):
    """The service that uses the keys has as much waiting as it takes. Nothing was signed; try again."""

    code = "key-service-busy"


class KeyServiceTimeoutError(KeystoreError):
    """The service that uses the keys gave no answer in time. The key may have been used."""

    code = "key-service-timeout"


class KeyServiceGoneError(KeystoreError):
    """The service that uses the keys does not run or cannot be reached. The key may have been used."""

    code = "key-service-gone"


class KeyServiceTokenError(KeyUnreadableError):
    """The file of the token for a key service cannot be used, or the service refuses the token. Never shows it."""

    code = "key-service-token"


class KeyServiceAnswerError(KeystoreError):
    """The key service refused the request, or its answer cannot be right. The key may have been used."""

    code = "key-service-answer"


class ModuleGoneError(KeystoreError):
    """The module that holds the keys cannot be loaded or does not work."""

    code = "module-gone"


class TokenAbsentError(KeystoreError):
    """The module works and shows no token, or several, of the name the address gives."""

    code = "token-absent"


class PinWrongError(KeystoreError):
    """The token refused the PIN, or there is none to try."""

    code = "pin-wrong"


class PinLockedError(KeystoreError):
    """The token takes no PIN any more: too many were wrong. Its security officer has to set a new one."""

    code = "pin-locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a permission rests on, for a backend that checks for itself; others ignore it."""

    statement: Mapping[str, Any] = field(repr=False)  # JSON without floats, as `ledger.canonical` takes it
    file: Path | None = None  # the prepared file the message commits to


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """What the backend itself can say of a destroyed key; no secret."""

    ref: str
    evidence: Mapping[str, str]  # backend, where the key was, objects_before, objects_after


@dataclass(slots=True)
class Permit:
    """Leave to sign one message with one key, once."""

    key: str
    purpose: Purpose
    message_digest: bytes
    grounds: Grounds | None = None
    _redeemed: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @classmethod
    def to_sign(cls, key: "SigningKey", message: bytes, grounds: Grounds | None = None) -> "Permit":
        """A permit for ``message`` (the whole message, not its digest) with ``key``."""
        return cls(key.ref, key.purpose, sha256(message).digest(), grounds)

    def redeem(self, key: "SigningKey", message: bytes) -> None:
        """Use the permit up. Raises :class:`PermitError`; called by every backend before it signs."""
        if (key.ref, key.purpose) != (self.key, self.purpose):
            raise PermitError(
                f"许可针对密钥 {self.key}（{self.purpose}），实为 {key.ref}（{key.purpose}）",
                f"the permit is for key {self.key} ({self.purpose}), not for {key.ref} ({key.purpose})",
            )
        found = sha256(message).digest()
        if found != self.message_digest:
            raise PermitError(
                f"许可针对摘要 {self.message_digest.hex()}，实为 {found.hex()}",
                f"the permit is for a message with digest {self.message_digest.hex()}, not {found.hex()}",
            )
        with self._lock:
            if self._redeemed:
                raise PermitError(
                    "许可已使用过；每份许可只能使用一次",
                    "the permit was redeemed before; a permit is good for one signature",
                )
            self._redeemed = True


class SigningKey(Protocol):
    """A handle on one private key."""

    @property
    def ref(self) -> str:
        """The reference under which the keystore knows the key, e.g. ``file:seal-0f3c…``."""

    @property
    def purpose(self) -> Purpose:
        """What the key was made for; fixed at generation."""

    @property
    def algorithm(self) -> Algorithm:
        """The one algorithm the key signs with."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER (RFC 5280 4.1)."""

    def sign(self, permit: Permit, message: bytes) -> bytes:
        """Redeem ``permit`` and return the raw signature over ``message``.

        ECDSA signatures are DER (RFC 3279 2.2.3), RSA is PKCS #1 v1.5, Ed25519 is 64 bytes. Raises
        :class:`KeystoreError`.
        """


class Keystore(Protocol):
    """A backend, chosen by the scheme of a URI."""

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> SigningKey:
        """Make a key pair inside the backend and return its handle. Raises :class:`KeyNotWrittenError`."""

    def open(self, ref: str) -> SigningKey:
        """The handle of an existing key. Raises :class:`KeyNotFoundError`, :class:`KeyUnreadableError`."""

    def refs(self) -> list[str]:
        """The references of all keys, sorted; for finding keys that nothing else names."""

    def destroy(self, ref: str, grounds: Grounds | None = None) -> Destruction:
        """Destroy the private key for good; handles given out stop working.

        ``grounds`` are for a backend that checks them itself (:func:`wants_grounds`); others do not look at them.
        Raises :class:`KeyNotFoundError`, :class:`KeyNotDestroyedError`.
        """


@runtime_checkable
class Connected(Protocol):
    """A backend that keeps connections between calls."""

    def close(self) -> None:
        """Close those that are idle; the backend may be used again."""


def wants_grounds(held: SigningKey | Keystore) -> bool:
    """Whether a backend, told by itself or by a key of it, checks grounds itself, so that they are worth gathering.

    Both have an attribute ``wants_grounds`` that is true then.
    """
    return bool(getattr(held, "wants_grounds", False))
