"""The backend for hardware modules: keys made in a PKCS #11 token and used there, scheme ``pkcs11:``."""

import re
import secrets
from threading import Lock
from typing import Final, NoReturn

from pkcs11 import ObjectClass
from pkcs11.exceptions import PKCS11Error

from keystore import pkcs11_keys
from keystore.interface import (
    Algorithm,
    Destruction,
    Grounds,
    KeyNotDestroyedError,
    KeyNotFoundError,
    KeyUnreadableError,
    Permit,
    Purpose,
)
from keystore.pkcs11_address import SCHEME, TokenAddress
from keystore.pkcs11_session import OpenSession, TokenSession

_NAME: Final = re.compile(r"(seal|ca|crl|log|token|ocsp|timestamp|report|witness)-[0-9a-f]{32}")
_ALL: Final = (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY, ObjectClass.CERTIFICATE)


class Pkcs11Key:
    """The handle of one key in the token."""

    __slots__ = ("_store", "algorithm", "public_key", "purpose", "ref")

    def __init__(self, store: "Pkcs11Keystore", ref: str, algorithm: Algorithm, public_key: bytes) -> None:
        """Made by :class:`Pkcs11Keystore` only."""
        self._store = store
        self.ref = ref
        self.purpose = _purpose(ref)
        self.algorithm = algorithm
        self.public_key = public_key

    def sign(self, permit: Permit, message: bytes) -> bytes:
        """Redeem ``permit`` and let the token sign.

        Raises :class:`PermitError`, and what :class:`Pkcs11Keystore` says of the token.
        """
        permit.redeem(self, message)
        return self._store.sign(self, message)

    def __repr__(self) -> str:
        return f"<Pkcs11Key {self.ref} {self.algorithm}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key handle is never copied or pickled")


class Pkcs11Keystore:
    """Keys in one token. A key is one private and one public object, both labelled like the reference.

    One session, used by one thread at a time. A token that was away is logged in to again at the next use.
    """

    def __init__(self, address: TokenAddress) -> None:
        """Log in to the token at ``address``.

        Raises :class:`ModuleGoneError`, :class:`TokenAbsentError`, :class:`PinWrongError`,
        :class:`PinLockedError`, :class:`KeyUnreadableError` for a PIN file others may read.
        """
        self._session = TokenSession(address)
        self._opened: dict[str, Pkcs11Key] = {}
        self._lock = Lock()

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> Pkcs11Key:
        """Make a key pair in the token, and check that the token says it cannot leave.

        Raises :class:`KeyNotWrittenError`, :class:`KeyExtractableError`, and what the token is missing.
        """
        name = f"{purpose}-{secrets.token_hex(16)}"
        public_key = self._session.use_afresh(lambda opened: pkcs11_keys.make(opened.session, name, algorithm))
        return self._keep(Pkcs11Key(self, f"{SCHEME}:{name}", algorithm, public_key))

    def open(self, ref: str) -> Pkcs11Key:
        """The key's handle. Raises ``KeyNotFoundError``, ``KeyUnreadableError``, ``KeyExtractableError``."""
        with self._lock:
            known = self._opened.get(ref)
        return known or self._keep(self._session.use(lambda opened: self._read(opened, ref)))

    def refs(self) -> list[str]:
        """The references of all keys of ours in the token, sorted."""
        found = self._session.use_afresh(lambda opened: pkcs11_keys.names(opened.session))
        return sorted({f"{SCHEME}:{name}" for name in found if _NAME.fullmatch(name)})

    def destroy(self, ref: str, grounds: Grounds | None = None) -> Destruction:  # noqa: ARG002  checked by others
        """Destroy the key's objects in the token, and look again that none is left.

        A key that :meth:`open` refuses can be destroyed, too. Raises :class:`KeyNotFoundError`,
        :class:`KeyNotDestroyedError`.
        """
        name = _name(ref)
        with self._lock:
            self._opened.pop(ref, None)
        evidence = self._session.use_afresh(lambda opened: self._destroy(opened, name))
        return Destruction(ref=ref, evidence=evidence)

    def sign(self, key: Pkcs11Key, message: bytes) -> bytes:
        """Called by the handle, which has redeemed a permit. Raises ``KeyNotFoundError`` for a destroyed key."""
        name = _name(key.ref)

        def act(opened: OpenSession) -> bytes:
            private = opened.keys.get(name)
            if private is None:
                private = pkcs11_keys.private_key(opened.session, name)
                _check_same(key, pkcs11_keys.public_key(opened.session, name))
                opened.keys[name] = private
            return pkcs11_keys.sign(private, key.algorithm, message)

        return self._session.use(act)

    def _read(self, opened: OpenSession, ref: str) -> Pkcs11Key:
        name = _name(ref)
        private = pkcs11_keys.private_key(opened.session, name)
        algorithm, public_key = pkcs11_keys.public_key(opened.session, name)
        opened.keys[name] = private
        return Pkcs11Key(self, ref, algorithm, public_key)

    def _destroy(self, opened: OpenSession, name: str) -> dict[str, str]:
        found = pkcs11_keys.objects(opened.session, name, *_ALL)
        if not found:
            raise KeyNotFoundError(f"令牌中没有密钥 {name}", f"there is no key {name} in the token")
        try:
            for each in found:
                each.destroy()
        except PKCS11Error as error:
            raise KeyNotDestroyedError(
                f"令牌不肯销毁密钥 {name}（{type(error).__name__}）",
                f"the token did not destroy key {name} ({type(error).__name__})",
            ) from None
        left = pkcs11_keys.objects(opened.session, name, *_ALL)
        if left:
            raise KeyNotDestroyedError(
                f"密钥 {name} 销毁后令牌中仍有 {len(left)} 个对象",
                f"{len(left)} objects of key {name} are still in the token after they were destroyed",
            )
        return {
            "backend": SCHEME,
            "module": self._session.module.description,
            "token_label": opened.token.label,
            "token_serial": opened.token.serial.decode("utf-8", "replace"),
            "token_manufacturer": opened.token.manufacturer_id,
            "token_model": opened.token.model,
            "object_id": pkcs11_keys.object_id(name).hex(),
            "objects_before": str(len(found)),
            "objects_after": str(len(left)),
        }

    def _keep(self, key: Pkcs11Key) -> Pkcs11Key:
        with self._lock:
            return self._opened.setdefault(key.ref, key)

    def __repr__(self) -> str:
        return f"Pkcs11Keystore({str(self._session.address)!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a keystore is never copied or pickled")


def _name(ref: str) -> str:
    scheme, _, name = ref.partition(":")
    if scheme != SCHEME or _NAME.fullmatch(name) is None:
        raise KeyNotFoundError(
            f"密钥引用 {ref!r} 不是 {SCHEME}:用途-32位十六进制 的形式",
            f"{ref!r} is no reference of this keystore, expected {SCHEME}:<purpose>-<32 hex digits>",
        )
    return name


def _purpose(ref: str) -> Purpose:
    return _name(ref).rpartition("-")[0]  # type: ignore[return-value]  # `_NAME` lets only purposes through


def _check_same(key: Pkcs11Key, found: tuple[Algorithm, bytes]) -> None:
    if found != (key.algorithm, key.public_key):
        raise KeyUnreadableError(
            f"令牌中密钥 {key.ref} 的公钥已不是打开时的那个",
            f"the public key of {key.ref} in the token is not the one it was when the key was opened",
        )
