"""How often one address may ask for what costs work: counted in memory, in each server process by itself.

A limit shared by replicas belongs to the proxy in front. Who calls is the peer's address, or, where a trusted proxy
(``settings.trusted_proxies``) speaks for it, the last address in X-Forwarded-For that is no trusted proxy.
"""

import math
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from fastapi import Depends
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request

from api.errors import RateLimitedError
from sealing import clock
from sealing.errors import InstallationError

_ONE_CALLER_V6: Final = 64
"""Bits of an IPv6 address that tell callers apart: whoever has one address of a /64 has them all."""
_NO_ADDRESS: Final = "none"
"""Stands for peers without an address, e.g. on a local socket: they share one count."""


class RateLimits:
    """The counts of one server process."""

    def __init__(self, rate: str, trusted_proxies: Sequence[str]) -> None:
        """``rate`` as ``60/minute``; ``trusted_proxies`` are addresses or networks.

        Raises :class:`sealing.errors.InstallationError` ``proxy-unreadable``.
        """
        self._rate = parse(rate)
        self._proxies = tuple(_network(each) for each in trusted_proxies)
        self._counts = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, what: str, request: Request) -> None:
        """Count one call of ``what``. Raises :class:`RateLimitedError` when its caller had enough for now."""
        caller = self.caller_of(request)
        if self._counts.hit(self._rate, what, caller):
            return
        reset = self._counts.get_window_stats(self._rate, what, caller).reset_time
        wait = min(max(math.ceil(reset - clock.utc_now().timestamp()), 1), self._rate.get_expiry())
        raise RateLimitedError(
            "rate-limited",
            f"请求过于频繁，每个地址上限为 {self._rate}，请 {wait} 秒后再试",
            f"too many requests: one address may make {self._rate}; try again in {wait} seconds",
            wait=wait,
        )

    def caller_of(self, request: Request) -> str:
        """What the caller is counted by: an IPv4 address, the /64 of an IPv6 address, or ``none``."""
        peer = _address(request.client.host if request.client else "")
        if peer is None:
            return _NO_ADDRESS
        if self._is_proxy(peer):
            told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
            peer = self._forwarded(told, peer)
        return str(peer) if isinstance(peer, IPv4Address) else str(IPv6Network((peer, _ONE_CALLER_V6), strict=False))

    def _forwarded(self, told: Sequence[str], peer: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
        """Each proxy adds its own peer at the end; what stands before the first stranger is the stranger's word."""
        for text in reversed(told):
            address = _address(text.strip())
            if address is None:
                return peer
            peer = address
            if not self._is_proxy(address):
                break
        return peer

    def _is_proxy(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._proxies)


class RateLimit:
    """A dependency that counts calls of one kind. Declared before the body is read, so that a refusal costs nothing."""

    def __init__(self, what: str) -> None:
        """``what`` is counted apart from everything else."""
        self.what = what

    async def __call__(self, request: Request) -> None:
        """Raise :class:`RateLimitedError` when the caller had enough for now."""
        limits: RateLimits = request.app.state.rate_limits
        limits.count(self.what, request)


def limited_rate(what: str) -> Any:  # noqa: ANN401  a marker for FastAPI
    """A declaration for the ``dependencies`` of a route: calls of ``what`` are counted by the caller's address."""
    return Depends(RateLimit(what))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise InstallationError(
            "proxy-unreadable",
            f"YINXIN_TRUSTED_PROXIES 中的 {text!r} 不是地址或网段",
            f"{text!r} in YINXIN_TRUSTED_PROXIES is neither an address nor a network",
        ) from error


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
