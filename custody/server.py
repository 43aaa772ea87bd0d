"""Serves connections: who may connect, hello, one request after the other, and a typed answer to each."""

import os
import socket
import struct
import sys
import time
import traceback
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, get_args

from custody.clock import Clock
from custody.errors import CustodyRefusedError, FrameError
from custody.frames import Channel
from custody.key_thread import KeyThread
from custody.key_work import KeyWork, Use, kill_at
from custody.permits import PermitDesk
from custody.settings import ProcessSettings
from keystore.interface import Algorithm, KeystoreError, Purpose, SigningKey
from ledger.canonical import JsonValue

if TYPE_CHECKING:
    import ssl

MOST_CONNECTIONS = 512
MOST_LINES = 500
"""Lines of the record in one answer."""
GENERATION_SECONDS = 60.0
"""A token may take long over an RSA key."""
HANDSHAKE_SECONDS = 10.0
ENDED_HUNG = 75
"""Exit code after a call that did not end."""
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))

Answer = dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    value: Mapping[str, Any]
    file: BinaryIO | None
    permits: PermitDesk


class Server:
    """Connections of one process, a thread each; the keys are used by one thread for all."""

    def __init__(self, settings: ProcessSettings, keys: KeyThread, *, boot: str, clock: Clock) -> None:
        """``boot`` names this start of the process."""
        self._settings = settings
        self._keys = keys
        self._boot = boot
        self._clock = clock
        self._users = {os.geteuid(), *settings.users}
        self._lock = Lock()
        self._open = 0
        self._idle_since = time.monotonic()
        self._operations: Mapping[str, Callable[[_Request], Answer]] = {
            "ping": lambda _: {},
            "generate": self._generate,
            "open": self._describe,
            "sign": self._sign,
            "refs": self._refs,
            "destroy": self._destroy,
            "uses": self._uses,
        }

    def serve(self, listening: socket.socket, tls: "ssl.SSLContext | None" = None) -> None:
        """Take connections until nobody has been connected for as long as the settings let it linger."""
        listening.settimeout(0.1 if self._settings.linger is not None else None)
        while not self._forgotten():
            with suppress(TimeoutError):
                connected, _ = listening.accept()
                self._count(1)
                Thread(target=self._attend, args=(connected, tls), daemon=True).start()

    def _forgotten(self) -> bool:
        linger = self._settings.linger
        with self._lock:
            return linger is not None and not self._open and time.monotonic() - self._idle_since > linger

    def _count(self, change: int) -> None:
        with self._lock:
            self._open += change
            self._idle_since = time.monotonic()

    def _attend(self, connected: socket.socket, tls: "ssl.SSLContext | None") -> None:
        try:
            with suppress(OSError, FrameError):  # the other end is gone or speaks something else: nobody to tell
                self._converse(self._channel(connected, tls))
        finally:
            connected.close()
            self._count(-1)

    def _channel(self, connected: socket.socket, tls: "ssl.SSLContext | None") -> Channel:
        connected.setblocking(True)
        if tls is None:
            return Channel(connected)
        connected.settimeout(HANDSHAKE_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secured = tls.wrap_socket(connected, server_side=True)
        secured.settimeout(None)
        return Channel(secured, self._settings.home)

    def _converse(self, channel: Channel) -> None:
        permits = PermitDesk(self._boot)
        try:
            refusal = self._refusal(channel)
            if refusal is not None:
                channel.send(refusal)
                return
            channel.send({"v": 1, "boot": self._boot, "secret": permits.secret_text()})
            while (received := channel.receive()) is not None:
                value, file = received
                try:
                    channel.send(self._answer(_Request(value=value, file=file, permits=permits)))
                finally:
                    if file is not None:
                        file.close()
                    if self._keys.hung:
                        end_hung()
        finally:
            channel.close()

    def _refusal(self, channel: Channel) -> Answer | None:
        with self._lock:
            if self._open > MOST_CONNECTIONS:
                return _failure(
                    "key-service-busy", "密钥进程的连接已满", "the custody process has no room for a connection"
                )
        if channel.socket.family != socket.AF_UNIX:
            return None
        raw = channel.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, user, _ = _CREDENTIALS.unpack(raw)
        if user in self._users:
            return None
        return _failure(
            CustodyRefusedError.code,
            f"用户 {user} 不得使用密钥进程；允许的用户：{sorted(self._users)}",
            f"user {user} may not use the custody process; users that may: {sorted(self._users)}",
        )

    def _answer(self, request: _Request) -> Answer:
        try:
            operation = self._operations.get(str(request.value.get("ask")))
            if operation is None:
                return _failure("keystore", "密钥进程不认识此请求", "the custody process knows no such request")
            answer = operation(request)
        except KeystoreError as error:
            return _failure(error.code, error.zh, error.en)
        except Exception:  # noqa: BLE001  a caller gets a typed answer whatever happens; the operator reads the log
            traceback.print_exc(file=sys.stderr)
            return _failure(
                "keystore", "密钥进程处理请求时出错，见其日志", "the custody process failed at this; see its log"
            )
        return {"ok": True, **answer}

    def _do(self, work: Callable[[KeyWork], Any], *, seconds: float | None = None) -> Any:  # noqa: ANN401  as the work
        return self._keys.do(work, seconds=seconds or self._settings.seconds)

    def _sign(self, request: _Request) -> Answer:
        key, message = _text(request.value, "key"), _message(request.value)
        purpose = request.permits.redeem(request.value.get("permit"), key, message, self._clock())
        use = Use(key=key, purpose=purpose, message=message, grounds=_grounds(request.value), file=request.file)
        signature: bytes = self._do(lambda work: work.sign(use))
        kill_at("before_answer", self._settings.kill_at)
        return {"signature": b64encode(signature).decode()}

    def _generate(self, request: _Request) -> Answer:
        purpose, algorithm = _text(request.value, "purpose"), _text(request.value, "algorithm")
        if purpose not in get_args(Purpose) or algorithm not in get_args(Algorithm):
            _malformed("purpose, algorithm")
        work = partial(_generate, purpose=purpose, algorithm=algorithm)
        return _described(self._do(work, seconds=max(GENERATION_SECONDS, self._settings.seconds)))

    def _describe(self, request: _Request) -> Answer:
        key = _text(request.value, "key")
        return _described(self._do(lambda work: work.open(key)))

    def _refs(self, _: _Request) -> Answer:
        refs: list[str] = self._do(lambda work: work.refs())
        return {"refs": refs}

    def _destroy(self, request: _Request) -> Answer:
        key = _text(request.value, "key")
        grounds = _grounds(request.value)
        destruction = self._do(lambda work: work.destroy(key, grounds))
        return {"ref": destruction.ref, "evidence": dict(destruction.evidence)}

    def _uses(self, request: _Request) -> Answer:
        after = request.value.get("after")
        if type(after) is not int or after < 0:
            _malformed("after")
        lines = self._do(lambda work: work.uses(after, MOST_LINES))
        return {"lines": [each.to_json() for each in lines]}


def end_hung() -> NoReturn:
    """End the process whose key thread hangs: the others get a moment for their answers."""
    time.sleep(0.1)
    os._exit(ENDED_HUNG)


def _generate(work: KeyWork, *, purpose: Any, algorithm: Any) -> SigningKey:  # noqa: ANN401  judged by the caller
    return work.generate(purpose, algorithm)


def _described(key: SigningKey) -> Answer:
    public_key = b64encode(key.public_key).decode()
    return {"ref": key.ref, "purpose": key.purpose, "algorithm": key.algorithm, "public_key": public_key}


def _failure(code: str, zh: str, en: str) -> Answer:
    return {"ok": False, "code": code, "zh": zh, "en": en}


def _grounds(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    grounds = value.get("grounds")
    if grounds is not None and not isinstance(grounds, dict):
        _malformed("grounds")
    return grounds


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        _malformed(name)
    return text


def _message(value: Mapping[str, Any]) -> bytes:
    try:
        return b64decode(_text(value, "message"), validate=True)
    except ValueError:
        _malformed("message")


def _malformed(name: str) -> NoReturn:
    raise KeystoreError(f"请求中的 {name} 无法识别", f"the member {name} of the request is not one")
