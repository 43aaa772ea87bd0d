"""The client: a keystore whose keys are in the custody process. It holds no private key, and cannot.

Connections are kept and taken by one thread at a time. A process that died is found before anything is sent, or by an
answer that does not come. What was certainly never taken is sent again; a key use that may have been taken is not.
"""

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, BinaryIO, NoReturn

from custody.clock import utc_now
from custody.connection import Connecting, Connection
from custody.errors import FrameError, error_of
from custody.permits import grant
from custody.uses import FIRST, UseLine, line_digest
from keystore.interface import (
    Algorithm,
    Destruction,
    Grounds,
    KeyServiceGoneError,
    KeyServiceTimeoutError,
    KeystoreError,
    Permit,
    Purpose,
)
from ledger.canonical import JsonValue

GRACE_SECONDS = 2.0
"""What a call may take beyond the process's own deadline before the client gives up on it."""
GENERATION_SECONDS = 60.0
_KEPT = 32


class CustodyKey:
    """The handle of a key in the custody process; what is public of it was asked for once."""

    __slots__ = ("_store", "algorithm", "public_key", "purpose", "ref")
    wants_grounds = True  # see keystore.interface.wants_grounds

    def __init__(self, store: "CustodyKeystore", told: Mapping[str, Any]) -> None:
        """Made by :class:`CustodyKeystore` only, of what the process told."""
        self._store = store
        self.ref: str = told["ref"]
        self.purpose: Purpose = told["purpose"]
        self.algorithm: Algorithm = told["algorithm"]
        self.public_key: bytes = b64decode(told["public_key"], validate=True)

    def sign(self, permit: Permit, message: bytes) -> bytes:
        """See :class:`keystore.interface.SigningKey`; the process checks the grounds of the permit for itself.

        Raises ``keystore`` errors. After ``KeyServiceGoneError`` and ``KeyServiceTimeoutError`` the key may have been
        used.
        """
        permit.redeem(self, message)
        return self._store.sign(self, permit, message)

    def __repr__(self) -> str:
        return f"<CustodyKey {self.ref} {self.algorithm}>"


class CustodyKeystore:
    """See :class:`keystore.interface.Keystore`. For any number of threads."""

    wants_grounds = True  # see keystore.interface.wants_grounds

    def __init__(self, connecting: Connecting, *, seconds: float) -> None:
        """``connecting`` makes a connection, starting the process where need be; ``seconds`` is for one call."""
        self._connecting = connecting
        self._seconds = seconds
        self._idle: deque[Connection] = deque()
        self._keys: dict[str, CustodyKey] = {}
        self._closed = False

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> CustodyKey:
        """See :class:`keystore.interface.Keystore`."""
        asked = {"ask": "generate", "purpose": purpose, "algorithm": algorithm}
        return self._keep(self._ask(asked, seconds=max(GENERATION_SECONDS, self._seconds)))

    def open(self, ref: str) -> CustodyKey:
        """See :class:`keystore.interface.Keystore`. A handle once opened is answered without asking again."""
        return self._keys.get(ref) or self._keep(self._ask_again({"ask": "open", "key": ref}))

    def refs(self) -> list[str]:
        """See :class:`keystore.interface.Keystore`."""
        refs: list[str] = self._ask_again({"ask": "refs"})["refs"]
        return refs

    def destroy(self, ref: str, grounds: Grounds | None = None) -> Destruction:
        """See :class:`keystore.interface.Keystore`; the process checks the grounds for itself."""
        asked: dict[str, JsonValue] = {"ask": "destroy", "key": ref}
        if grounds is not None:
            asked["grounds"] = grounds.statement
        answer = self._ask(asked)
        self._keys.pop(ref, None)
        return Destruction(ref=answer["ref"], evidence=answer["evidence"])

    def ping(self) -> None:
        """Raises ``keystore`` errors unless the process answers. No key is touched."""
        self._ask_again({"ask": "ping"})

    def uses_after(self, n: int) -> Iterator[UseLine]:
        """The lines of the record of key uses from number ``n`` on, each checked against the one before it.

        Raises ``keystore`` errors, also when the chain does not hold.
        """
        previous = FIRST if n == 0 else None
        while lines := self._ask_again({"ask": "uses", "after": n})["lines"]:
            for each in lines:
                line = _line(each)
                if line.n != n or previous not in (None, line.previous):
                    _nonsense()
                yield line
                n, previous = n + 1, line_digest(line)

    def sign(self, key: CustodyKey, permit: Permit, message: bytes) -> bytes:
        """Called by the handle, which has redeemed the permit. Raises ``keystore`` errors."""
        asked: dict[str, JsonValue] = {"ask": "sign", "key": key.ref, "message": b64encode(message).decode()}
        with ExitStack() as stack:
            file: BinaryIO | None = None
            if permit.grounds is not None:
                asked["grounds"] = permit.grounds.statement
                if permit.grounds.file is not None:
                    file = stack.enter_context(permit.grounds.file.open("rb"))
            signed = (key, message)
            answer = self._ask(asked, file=file, signed=signed)
        return _bytes(answer.get("signature"))

    def close(self) -> None:
        """Close the connections that are idle; one in use is closed when its answer has come."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _keep(self, told: Mapping[str, Any]) -> CustodyKey:
        try:
            key = CustodyKey(self, told)
        except (KeyError, ValueError, TypeError):
            _nonsense()
        return self._keys.setdefault(key.ref, key)

    def _ask_again(self, asked: Mapping[str, JsonValue]) -> Mapping[str, Any]:
        """Ask what changes nothing, a second time where the process went away."""
        try:
            return self._ask(asked)
        except KeyServiceGoneError:
            return self._ask(asked)

    def _ask(
        self,
        asked: Mapping[str, JsonValue],
        *,
        file: BinaryIO | None = None,
        signed: tuple[CustodyKey, bytes] | None = None,
        seconds: float | None = None,
    ) -> Mapping[str, Any]:
        connection = self._connection()
        if not self._sent(connection, asked, file, signed):  # closed before any of it was taken
            connection.close()
            connection = self._connecting()
            if not self._sent(connection, asked, file, signed):
                connection.close()
                _gone()
        answer = self._received(connection, (seconds or self._seconds) + GRACE_SECONDS)
        if answer.get("ok") is not True:
            raise error_of(answer)
        return answer

    def _connection(self) -> Connection:
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if not idle.channel.closed_by_peer():
                return idle
            idle.close()
        return self._connecting()

    @staticmethod
    def _sent(
        connection: Connection,
        asked: Mapping[str, JsonValue],
        file: BinaryIO | None,
        signed: tuple[CustodyKey, bytes] | None,
    ) -> bool:
        if signed is not None:
            key, message = signed
            permit = grant(
                connection.secret, connection.boot, key=key.ref, purpose=key.purpose, message=message, now=utc_now()
            )
            asked = {**asked, "permit": permit}
        try:
            return connection.channel.send(asked, file)
        except OSError:
            connection.close()
            _gone()
        except FrameError as error:
            connection.close()
            raise KeystoreError(f"请求过长：{error}", f"the request is too long: {error}") from None

    def _received(self, connection: Connection, seconds: float) -> Mapping[str, Any]:
        try:
            connection.channel.socket.settimeout(seconds)
            received = connection.channel.receive()
        except TimeoutError:
            connection.close()
            raise KeyServiceTimeoutError(
                f"密钥进程 {seconds:g} 秒内没有答复；密钥可能已使用",
                f"the custody process gave no answer within {seconds:g} s; the key may have been used",
            ) from None
        except (OSError, FrameError):
            received = None
        if received is None:
            connection.close()
            _gone()
        if len(self._idle) < _KEPT and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        return received[0]


def _line(value: object) -> UseLine:
    try:
        return UseLine.from_json(value)
    except ValueError:
        _nonsense()


def _bytes(text: object) -> bytes:
    try:
        return b64decode(str(text), validate=True)
    except ValueError:
        _nonsense()


def _gone() -> NoReturn:
    raise KeyServiceGoneError(
        "密钥进程未答复即断开；密钥可能已使用",
        "the custody process went away without an answer; the key may have been used",
    ) from None


def _nonsense() -> NoReturn:
    raise KeyServiceGoneError(
        "密钥进程的答复无法识别", "what the custody process answered is no answer of its protocol"
    ) from None
