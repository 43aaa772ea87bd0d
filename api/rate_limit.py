"""How often one address may ask for what costs work: counted in memory, in each server process by itself.

A limit shared by replicas belongs to the proxy in front. Who calls is told by :mod:`api.addresses`.
"""

import math
from ipaddress import IPv6Address, IPv6Network
from typing import Any, Final

from fastapi import Depends
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request

from api.addresses import Addresses
from api.errors import RateLimitedError
from sealing import clock

_ONE_CALLER_V6: Final = 64
"""Bits of an IPv6 address that tell callers apart: whoever has one address of a /64 has them all."""
_NO_ADDRESS: Final = "none"
"""Stands for peers without an address, e.g. on a local socket: they share one count."""


class RateLimits:
    """The counts of one server process."""

    def __init__(self, rate: str, addresses: Addresses) -> None:
        """``rate`` as ``60/minute``."""
        self._rate, self._addresses = parse(rate), addresses
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
        caller = self._addresses.nearest(request)
        if caller is None:
            return _NO_ADDRESS
        wide = isinstance(caller, IPv6Address)
        return str(IPv6Network((caller, _ONE_CALLER_V6), strict=False)) if wide else str(caller)


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
