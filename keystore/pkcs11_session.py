"""One logged-in session with one token, opened again when it was lost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import sleep
from typing import Final, TypeVar

import pkcs11
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import PinIncorrect, PKCS11Error

from keystore.interface import KeyNotFoundError, KeystoreError, PinLockedError, PinWrongError, TokenAbsentError
from keystore.pkcs11_address import TokenAddress
from keystore.pkcs11_errors import LOST, told
from keystore.pkcs11_module import Module

Result = TypeVar("Result")
PAUSES: Final = (0.0, 0.05, 0.2)
"""Seconds before each new look for a token: SoftHSM shows none while another process writes to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session and the key objects found in it; their handles mean nothing in another session."""

    session: pkcs11.Session
    token: pkcs11.Token
    start: int  # `Module.starts` when it was opened
    keys: dict[str, pkcs11.PrivateKey] = field(default_factory=dict, repr=False)


class TokenSession:
    """Lets one thread at a time act in the session; what is doubtful is asked again in a new one."""

    def __init__(self, address: TokenAddress) -> None:
        """Load the module, find the token, log in. Raises :class:`KeystoreError`."""
        self.address = address
        self.module = Module.load(address.module)
        self._open: OpenSession | None = None
        self._refused: str | None = None
        with self.module.held():
            self._current()

    def use(self, act: Callable[[OpenSession], Result]) -> Result:
        """What ``act`` gives. A lost session, or a key not found, is tried once more in a new session.

        SoftHSM tells of a token that went away by showing no objects, so "not found" in an old session
        proves nothing. Raises :class:`KeystoreError`.
        """
        with self.module.held():
            before = self._open
            current = self._current()
            try:
                return act(current)
            except LOST:
                pass
            except KeyNotFoundError:
                if current is not before:
                    raise
            except PKCS11Error as error:
                raise told(error, self.address) from None
            return self._act_afresh(act)

    def use_afresh(self, act: Callable[[OpenSession], Result]) -> Result:
        """What ``act`` gives in a new session; never tried twice. Raises :class:`KeystoreError`."""
        with self.module.held():
            return self._act_afresh(act)

    def _act_afresh(self, act: Callable[[OpenSession], Result]) -> Result:
        self.module.restart()
        try:
            return act(self._current())
        except PKCS11Error as error:
            raise told(error, self.address) from None

    def _current(self) -> OpenSession:
        """The session; opened if there is none of this start of the module."""
        if self._open is None or self._open.start != self.module.starts:
            self._open = None
            token = self._token()
            session = self._log_in(token)
            self._open = OpenSession(session=session, token=token, start=self.module.starts)
        return self._open

    def _token(self) -> pkcs11.Token:
        """The token; it may have come back, and a module looks for tokens when it starts."""
        try:
            return self.module.token(self.address)
        except KeystoreError as error:
            missing = error
        for pause in PAUSES:
            sleep(pause)
            self.module.restart()
            try:
                return self.module.token(self.address)
            except TokenAbsentError as error:
                missing = error
        raise missing

    def _log_in(self, token: pkcs11.Token) -> pkcs11.Session:
        if token.serial in self.module.logged_in:  # C_Login is for the whole process
            pin = None
        else:
            _check_pin_can_be_tried(token)
            pin = self._pin(token)
        try:
            session = token.open(rw=True, user_pin=pin)
        except PinIncorrect as error:
            self._refused = pin
            raise told(error, self.address) from None
        except PKCS11Error as error:
            raise told(error, self.address) from None
        self.module.logged_in.add(token.serial)
        return session

    def _pin(self, token: pkcs11.Token) -> str:
        pin = self.address.pin_source.read(token.label)
        if pin == self._refused:
            raise PinWrongError(
                f"令牌 {self.address} 已拒绝过该 PIN，不再尝试，以免锁定",
                f"the token {self.address} refused this PIN before; it is not tried again, lest it lock",
            )
        return pin

    def __repr__(self) -> str:
        return f"TokenSession({str(self.address)!r})"


def _check_pin_can_be_tried(token: pkcs11.Token) -> None:
    """Spend no try that would lock the token: a service that is restarted tries again and again."""
    if token.flags & TokenFlag.USER_PIN_LOCKED:
        raise PinLockedError(
            f"令牌 {token.label} 的 PIN 已锁定，应由安全员解锁",
            f"the PIN of token {token.label} is locked; its security officer has to set a new one",
        )
    if token.flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise PinLockedError(
            f"令牌 {token.label} 的 PIN 只剩一次机会，不予尝试；请先用厂商工具登录一次",
            f"the PIN of token {token.label} has one try left, which is not spent here; log in once by hand first",
        )
