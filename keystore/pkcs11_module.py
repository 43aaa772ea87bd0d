"""A PKCS #11 module in this process: loaded and initialised once, used by one thread at a time.

Modules are not safe across threads (SoftHSM 2.6 ends the process when two sessions are used at once),
and ``C_Initialize`` and ``C_Login`` are per process; so all tokens behind one module share what is here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, ClassVar

import pkcs11
from pkcs11.exceptions import PKCS11Error, TokenNotPresent, TokenNotRecognised

from keystore.interface import KeyServiceBusyError, ModuleGoneError, TokenAbsentError
from keystore.pkcs11_address import TokenAddress
from keystore.pkcs11_errors import told

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

LONGEST_WAIT = 10.0
"""Seconds a call waits for another call into the same module."""


class Module:
    """One loaded module. ``starts`` counts how often it was initialised: sessions of an earlier start are gone."""

    _loaded: ClassVar[dict[Path, "Module"]] = {}
    _loading: ClassVar[Lock] = Lock()

    def __init__(self, path: Path, library: "lib") -> None:
        """Made by :meth:`load` only."""
        self.path = path
        self.starts = 1
        self.logged_in: set[bytes] = set()
        self._library = library
        self._lock = RLock()
        self._process = os.getpid()

    @classmethod
    def load(cls, path: Path) -> "Module":
        """The module in the file ``path``. Raises :class:`ModuleGoneError`."""
        with cls._loading:
            if path not in cls._loaded:
                try:
                    cls._loaded[path] = cls(path, pkcs11.lib(str(path)))
                except PKCS11Error as error:
                    raise ModuleGoneError(*_sentences(path, error)) from None
            return cls._loaded[path]

    @property
    def description(self) -> str:
        """Manufacturer, name and version, as the module gives them."""
        library = self._library
        version = ".".join(map(str, library.library_version))
        return f"{library.manufacturer_id} {library.library_description} {version}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no other thread into the module. Raises :class:`KeyServiceBusyError`, :class:`ModuleGoneError`."""
        if os.getpid() != self._process:
            raise ModuleGoneError(
                f"密码模块 {self.path} 属于父进程，分叉出的进程不能使用",
                f"the module {self.path} was loaded by the process this one was forked from and cannot be used here",
            )
        if not self._lock.acquire(timeout=LONGEST_WAIT):
            raise KeyServiceBusyError(
                f"密码模块 {self.path} 超过 {LONGEST_WAIT:.0f} 秒未空闲",
                f"the module {self.path} has been busy for {LONGEST_WAIT:.0f} s with another call",
            )
        try:
            yield
        finally:
            self._lock.release()

    def restart(self) -> None:
        """Initialise the module again: the only way to see a token that was away. Ends every session.

        To be called while :meth:`held`. Raises :class:`ModuleGoneError`.
        """
        self.starts += 1
        self.logged_in.clear()
        try:
            if self._library.initialized:
                self._library.finalize()
        except PKCS11Error:
            pass  # a broken module may refuse to end; whether it works is told by the next line
        try:
            self._library.initialize()
        except PKCS11Error as error:
            raise ModuleGoneError(*_sentences(self.path, error)) from None

    def token(self, address: TokenAddress) -> pkcs11.Token:
        """The one token that fits ``address``. Raises :class:`TokenAbsentError`, :class:`ModuleGoneError`."""
        try:
            fitting = [token for token in self._tokens() if _fits(token, address)]
        except PKCS11Error as error:
            raise told(error, address) from None
        if len(fitting) != 1:
            raise TokenAbsentError(
                f"有 {len(fitting)} 个令牌符合 {address}，应恰有一个",
                f"{len(fitting)} tokens fit {address}, expected exactly one",
            )
        return fitting[0]

    def _tokens(self) -> Iterator[pkcs11.Token]:
        for slot in self._library.get_slots(token_present=True):
            try:
                yield slot.get_token()
            except (TokenNotPresent, TokenNotRecognised):
                continue  # taken out between the two calls, or not ours


def _fits(token: pkcs11.Token, address: TokenAddress) -> bool:
    found = {
        "token": token.label,
        "serial": token.serial.decode("utf-8", "replace"),
        "manufacturer": token.manufacturer_id,
        "model": token.model,
    }
    return all(found[name] == value for name, value in address.wanted.items())


def _sentences(path: Path, error: PKCS11Error) -> tuple[str, str]:
    found = type(error).__name__ if type(error) is not PKCS11Error else str(error)
    return f"密码模块 {path} 无法加载：{found}", f"the module {path} cannot be loaded: {found}"
