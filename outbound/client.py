"""The client for every call to another host (docs/threat-model.md, 22).

Only https, only hosts and ports that an operator configured. A name is resolved once; every address it stands for is
checked, and the connection goes to the checked address, while TLS and the Host header keep the name. No redirect is
followed, no proxy of the environment used, no cookie kept; time and bytes are limited.
"""

import ipaddress
import ssl
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import httpx2

from outbound.deadline import Deadline, within
from outbound.destination import Address, Destination, Resolver, checked_addresses, parse_destination, resolve
from outbound.errors import OutboundFailedError, OutboundRefusedError

LONGEST_ANSWER: Final = 1_000_000
SECONDS: Final = 10.0
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_AGENT: Final = "yinxin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the other host answered; ``media_type`` in lower case, without parameters."""

    media_type: str
    body: bytes
    status: int = 200


class OutboundClient:
    """Calls configured hosts. Safe to use from several threads; keeps no connection and no state."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        networks: Iterable[str] = (),
        roots: Path | None = None,
        allow_http: bool = False,
        seconds: float = SECONDS,
        longest: int = LONGEST_ANSWER,
        resolver: Resolver = resolve,
    ) -> None:
        """``hosts`` are ``name:port``; ``networks`` CIDR blocks of addresses that are not public and yet called.

        ``roots`` is a PEM file of TLS roots, by default the system's; ``seconds`` bounds a whole call, ``longest`` the
        bytes of an answer. Raises ``ValueError`` for a network that is none.
        """
        self._hosts = frozenset(hosts)
        self._networks = tuple(ipaddress.ip_network(each) for each in networks)
        self._roots, self._allow_http = roots, allow_http
        self._seconds, self._longest = seconds, longest
        self._resolver = resolver

    def get(self, url: str, *, longest: int | None = None) -> Answer:
        """The answer to GET. Raises :class:`OutboundRefusedError`, :class:`OutboundFailedError`."""
        return self._call("GET", url, {}, None, longest=longest)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str,
        authorization: str | None = None,
        longest: int | None = None,
        statuses: Collection[int] = (_OK,),
    ) -> Answer:
        """The answer to POST; ``authorization`` is the value of the header, ``statuses`` those that are an answer.

        Raises as :meth:`get`.
        """
        headers = {"Content-Type": media_type}
        if authorization is not None:
            headers["Authorization"] = authorization
        return self._call("POST", url, headers, body, longest=longest, statuses=statuses)

    def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        longest: int | None,
        statuses: Collection[int] = (_OK,),
    ) -> Answer:
        goal = self._permitted(url)
        deadline = Deadline(self._seconds)
        try:
            with deadline:
                address = self._address(goal, deadline)
                request = _request(method, goal, address, headers, body, deadline)
                answer = self._exchange(goal, request, self._longest if longest is None else longest, statuses)
                if deadline.over:  # a connection that was cut may look like an answer that ended
                    raise TimeoutError
                return answer
        except (httpx2.HTTPError, httpx2.StreamError, OSError, ValueError) as error:
            if deadline.over or isinstance(error, TimeoutError | httpx2.TimeoutException):
                raise _too_slow(goal, self._seconds) from None
            # Not chained: the libraries' own words may quote headers.
            raise _unreachable(goal, error) from None

    def _permitted(self, url: str) -> Destination:
        goal = parse_destination(url)
        if goal.scheme != "https" and not self._allow_http:
            raise OutboundRefusedError(
                "outbound-not-https", f"{goal.host}：只允许 https", f"{goal.host}: only https is called"
            )
        if goal.authority not in self._hosts:
            raise OutboundRefusedError(
                "outbound-host-not-configured",
                f"{goal.authority} 不是已配置的主机",
                f"{goal.authority} is not a configured host",
            )
        return goal

    def _address(self, goal: Destination, deadline: Deadline) -> Address:
        try:
            found = list(within(deadline.left, lambda: self._resolver(goal.host, goal.port)))
        except TimeoutError:
            raise
        except (OSError, UnicodeError) as error:
            raise OutboundFailedError(
                "outbound-name-unresolved", f"{goal.host} 无法解析", f"{goal.host} cannot be resolved"
            ) from error
        return checked_addresses(found, goal.host, self._networks)[0]

    def _exchange(self, goal: Destination, request: httpx2.Request, longest: int, statuses: Collection[int]) -> Answer:
        transport = httpx2.HTTPTransport(verify=self._tls, trust_env=False, retries=0)
        with transport, closing(transport.handle_request(request)) as response:
            self._check(goal, response, statuses)
            body = bytearray()
            for block in response.iter_raw():
                body += block
                if len(body) > longest:
                    raise OutboundFailedError(
                        "outbound-answer-too-large",
                        f"{goal.host} 的回答超过 {longest} 字节",
                        f"the answer of {goal.host} is longer than {longest} bytes",
                    )
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(media_type=media_type, body=bytes(body), status=response.status_code)

    @staticmethod
    def _check(goal: Destination, response: httpx2.Response, statuses: Collection[int]) -> None:
        status = response.status_code
        if status in _REDIRECTS:
            raise OutboundFailedError(
                "outbound-redirected",
                f"{goal.host} 要求转往别处，不予跟随",
                f"{goal.host} asks to go elsewhere, which is not followed",
            )
        if status not in statuses:
            raise OutboundFailedError(
                "outbound-status", f"{goal.host} 回答状态 {status}，应为 200", f"{goal.host} answered {status}, not 200"
            )
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise OutboundFailedError(
                "outbound-answer-encoded",
                f"{goal.host} 的回答经过压缩，未作此要求",
                f"the answer of {goal.host} is compressed, which was not asked for",
            )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=None if self._roots is None else str(self._roots))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def authority_of(url: str) -> str:
    """Host and port of an address, as :class:`OutboundClient` takes them. Raises :class:`OutboundRefusedError`."""
    return parse_destination(url).authority


def _request(
    method: str,
    goal: Destination,
    address: Address,
    headers: Mapping[str, str],
    body: bytes | None,
    deadline: Deadline,
) -> httpx2.Request:
    pinned = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004  IPv6
    return httpx2.Request(
        method,
        f"{goal.scheme}://{pinned}:{goal.port}{goal.path}",
        headers={"Host": goal.host_header, "User-Agent": _AGENT, "Accept-Encoding": "identity", **headers},
        content=body,
        extensions={
            "sni_hostname": goal.host.strip("[]"),
            "timeout": dict.fromkeys(("connect", "read", "write", "pool"), deadline.left),
            "trace": deadline.watch,
        },
    )


def _too_slow(goal: Destination, seconds: float) -> OutboundFailedError:
    return OutboundFailedError(
        "outbound-too-slow",
        f"{goal.host} 未在 {seconds:g} 秒内答复",
        f"{goal.host} did not answer within {seconds:g} seconds",
    )


def _unreachable(goal: Destination, error: Exception) -> OutboundFailedError:
    kind = type(error).__name__
    return OutboundFailedError(
        "outbound-unreachable",
        f"无法与 {goal.host} 正常通信（{kind}）",
        f"{goal.host} cannot be talked to ({kind})",
    )
