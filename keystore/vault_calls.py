"""Calls to a HashiCorp Vault over HTTP: one connection, one limit of time for a call, no proxy, no redirect.

A call is sent again only if nothing of it was sent, if it only reads, or if the service refused its token (then
nothing was carried out): a signature asked for twice would be two uses of the key.
"""

import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from select import select
from threading import Lock
from typing import Any, Final, NoReturn

from keystore.interface import (
    KeyServiceAnswerError,
    KeyServiceBusyError,
    KeyServiceGoneError,
    KeyServiceTimeoutError,
    KeyServiceTokenError,
    KeystoreAddressError,
)
from keystore.private_file import read_private
from keystore.time_limit import TimeLimit
from keystore.vault_address import VaultAddress

READS: Final = {"GET", "LIST"}
_TRIES: Final = 2
_LONGEST_ANSWER: Final = 1_000_000
_LONGEST_TOKEN: Final = 4096
_TOKEN: Final = re.compile(rb"[!-~]+")
_FORBIDDEN, _BUSY, _SEALED = 403, {412, 429}, 503
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)

_Request = tuple[str, str, bytes | None, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAnswer:
    """What the service answered: status, the ``data`` of a success, the ``errors`` of a refusal."""

    status: int
    data: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class _Attempt:
    """Whether anything of the request may have reached the other side."""

    sent: bool = False


class VaultClient:
    """Talks to one Vault. Used by one thread at a time; others wait."""

    def __init__(self, address: VaultAddress) -> None:
        """Reads token and roots once. Raises :class:`KeyServiceTokenError`, :class:`KeystoreAddressError`."""
        self._address = address
        self._tls = _tls(address)
        self._token = self._read_token()
        self._connection: HTTPSConnection | None = None
        self._lock = Lock()

    @property
    def service(self) -> str:
        """Host, port and mount, for messages and evidence."""
        return f"{self._address.host}:{self._address.port}/{self._address.mount}"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> VaultAnswer:
        """The answer to ``method`` on ``path`` below the mount; a status of 400 or 404 is an answer.

        Raises :class:`KeyServiceGoneError`, :class:`KeyServiceTimeoutError`, :class:`KeyServiceBusyError`,
        :class:`KeyServiceTokenError`, :class:`KeyServiceAnswerError`.
        """
        content = None if body is None else json.dumps(body).encode()
        with self._lock:
            answer = self._persist(method, path, content)
            if answer.status == _FORBIDDEN and self._token_was_changed():
                answer = self._persist(method, path, content)
        self._check(answer)
        return answer

    def close(self) -> None:
        """Close the connection kept for the next call, if there is one."""
        with self._lock:
            self._drop()

    def refused(self, answer: VaultAnswer) -> NoReturn:
        """Raises :class:`KeyServiceAnswerError` with what the service said, without control characters or token."""
        said = "; ".join(answer.errors).replace(self._token, "…")
        said = "".join(each if each.isprintable() else " " for each in said)[:200]
        raise KeyServiceAnswerError(
            f"密钥服务 {self.service} 拒绝了请求，状态 {answer.status}：{said}",
            f"the key service {self.service} refused the request with status {answer.status}: {said}",
        )

    def _persist(self, method: str, path: str, content: bytes | None) -> VaultAnswer:
        for left in reversed(range(_TRIES)):
            attempt = _Attempt()
            with TimeLimit(self._address.seconds) as limit:
                try:
                    return self._exchange(attempt, limit, self._request(method, path, content))
                except (OSError, HTTPException, ValueError) as problem:
                    self._drop()
                    # Not chained: the libraries' own words may quote what was sent.
                    if limit.over or isinstance(problem, TimeoutError):
                        raise self._too_slow() from None
                    if not left or (attempt.sent and method not in READS):
                        raise self._gone(type(problem).__name__) from None
        raise AssertionError("the last try returns or raises")

    def _exchange(self, attempt: "_Attempt", limit: TimeLimit, request: _Request) -> VaultAnswer:
        connection = self._connected(limit)
        limit.check()  # before anything is sent: nothing is to be signed for nobody
        attempt.sent = True
        connection.request(*request)
        answer = _read(connection.getresponse())
        limit.check()  # a connection that was cut may look like an answer that ended
        return answer

    def _request(self, method: str, path: str, content: bytes | None) -> _Request:
        headers = {"X-Vault-Token": self._token, "X-Vault-Request": "true", "Accept-Encoding": "identity"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        return method, f"/v1/{self._address.mount}/{path}", content, headers

    def _connected(self, limit: TimeLimit) -> HTTPSConnection:
        """The connection kept from the last call, if the other side has not closed it; else a new one."""
        if self._connection is not None and not _usable(self._connection):
            self._drop()
        if self._connection is None:
            host, port = self._address.host, self._address.port
            plain = socket.create_connection((host, port), timeout=limit.left)
            limit.watch(plain)
            self._connection = HTTPSConnection(host, port, context=self._tls)
            # Connected here and not by the library, so that the handshake is within the limit of time, too.
            self._connection.sock = plain
            self._connection.sock = self._tls.wrap_socket(plain, server_hostname=host)
        else:
            limit.watch(self._connection.sock)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _token_was_changed(self) -> bool:
        """Read the file again: tokens are replaced while the service runs."""
        before, self._token = self._token, self._read_token()
        return self._token != before

    def _read_token(self) -> str:
        path = self._address.token_file
        try:
            content = read_private(path, limit=_LONGEST_TOKEN, error=KeyServiceTokenError).strip()
        except FileNotFoundError:
            raise KeyServiceTokenError(f"找不到令牌文件 {path}", f"the token file {path} does not exist") from None
        if not _TOKEN.fullmatch(content):
            raise KeyServiceTokenError(
                f"令牌文件 {path} 的内容不是一个令牌", f"the token file {path} does not hold one token on one line"
            )
        return content.decode()

    def _check(self, answer: VaultAnswer) -> None:
        status = answer.status
        if status == _FORBIDDEN:
            raise KeyServiceTokenError(
                f"密钥服务 {self.service} 不接受令牌文件 {self._address.token_file} 中的令牌，或该令牌无此权限",
                f"the key service {self.service} does not accept the token of {self._address.token_file},"
                " or its policy does not allow this",
            )
        if status in _BUSY:
            raise KeyServiceBusyError(
                f"密钥服务 {self.service} 繁忙（状态 {status}），请稍后再试",
                f"the key service {self.service} is busy (status {status}); try again later",
            )
        if status in _REDIRECTS:
            raise self._gone(f"redirect {status}")
        if status in _SERVER_ERRORS:
            raise self._gone("sealed, or down for maintenance" if status == _SEALED else f"status {status}")

    def _gone(self, found: str) -> KeyServiceGoneError:
        return KeyServiceGoneError(
            f"密钥服务 {self.service} 无法使用（{found}）", f"the key service {self.service} cannot be used ({found})"
        )

    def _too_slow(self) -> KeyServiceTimeoutError:
        seconds = self._address.seconds
        return KeyServiceTimeoutError(
            f"密钥服务 {self.service} 未在 {seconds:g} 秒内答复",
            f"the key service {self.service} did not answer within {seconds:g} seconds",
        )

    def __repr__(self) -> str:
        return f"<VaultClient {self.service}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("the client of a key service is never copied or pickled")


def _usable(connection: HTTPSConnection) -> bool:
    """Whether nothing waits to be read: between two calls that would be the other side's goodbye."""
    return connection.sock is not None and not select([connection.sock], [], [], 0)[0]


def _read(response: HTTPResponse) -> VaultAnswer:
    content = response.read(_LONGEST_ANSWER + 1)
    if len(content) > _LONGEST_ANSWER:
        raise ValueError("the answer is too long")
    if not content:
        return VaultAnswer(status=response.status)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return VaultAnswer(status=response.status)  # a proxy's page, say: the status tells enough
    data, errors = value.get("data"), value.get("errors")
    return VaultAnswer(
        status=response.status,
        data=data if isinstance(data, dict) else {},
        errors=tuple(map(str, errors)) if isinstance(errors, list) else (),
    )


def _tls(address: VaultAddress) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if address.roots is None else str(address.roots))
    except OSError as problem:
        raise KeystoreAddressError(
            f"读不了 TLS 根证书文件 {address.roots}：{problem.strerror or type(problem).__name__}",
            f"cannot read the TLS roots {address.roots}: {problem.strerror or type(problem).__name__}",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
