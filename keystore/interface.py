"""The narrow interface to private keys: a key is a handle that signs one permitted message.

Private keys never leave a backend. Who may sign what is decided elsewhere; the permit is how that
decision arrives here, for one key and one message, and it can be redeemed once.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Literal, Protocol

Algorithm = Literal["ecdsa-p256-sha256", "rsa3072-sha256", "ed25519"]
Purpose = Literal["seal", "ca", "crl", "log", "token"]


class KeystoreError(Exception):
    """The key could not be used. An operator can act; the request is not at fault."""


class KeyNotFoundError(KeystoreError):
    """No key under this reference."""


class KeyUnreadableError(KeystoreError):
    """The stored key cannot be opened: the key-encryption key is missing or wrong, or the file was changed."""


class PermitError(KeystoreError):
    """The permit is for another key, purpose or message, or was redeemed before."""


@dataclass(slots=True)
class Permit:
    """Leave to sign one message with one key, once."""

    key: str
    purpose: Purpose
    message_digest: bytes
    _redeemed: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @classmethod
    def to_sign(cls, key: "SigningKey", message: bytes) -> "Permit":
        """A permit for ``message`` (the whole message, not its digest) with ``key``."""
        return cls(key.ref, key.purpose, sha256(message).digest())

    def redeem(self, key: "SigningKey", message: bytes) -> None:
        """Use the permit up. Raises :class:`PermitError`; called by every backend before it signs."""
        if (key.ref, key.purpose) != (self.key, self.purpose):
            raise PermitError(f"permit is for key {self.key} ({self.purpose}), not {key.ref} ({key.purpose})")
        if sha256(message).digest() != self.message_digest:
            raise PermitError("permit is for another message")
        with self._lock:
            if self._redeemed:
                raise PermitError("permit was redeemed before")
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
        """Make a key pair inside the backend and return its handle."""

    def open(self, ref: str) -> SigningKey:
        """The handle of an existing key. Raises :class:`KeyNotFoundError`, :class:`KeyUnreadableError`."""
