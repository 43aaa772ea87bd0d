"""Asks NTP servers how far this host's clock is off (RFC 5905), over the same networks as every other call."""

import ipaddress
from collections.abc import Sequence
from typing import Final

import ntplib

from outbound.deadline import within
from outbound.destination import checked_addresses, resolve
from outbound.errors import OutboundError, OutboundFailedError

_PORT: Final = 123
_SERVER: Final = 4  # mode of an answer
_UNSYNCHRONISED: Final = 3  # leap indicator of a server that has no time itself
_STRATA: Final = range(1, 16)


def clock_offset(source: str, *, networks: Sequence[str] = (), seconds: float = 1.0) -> float:
    """How many seconds the clock of ``source`` (``host`` or ``host:port``) is ahead of this host's.

    ``networks`` are the private ones (CIDR) that may be called. Raises :class:`OutboundRefusedError` for an address
    that may not, :class:`OutboundFailedError` ``time-source-failed`` when there is no usable answer within ``seconds``.
    """
    host, _, port = source.partition(":")
    try:
        found = within(seconds, lambda: _ask(host, int(port or _PORT), networks, seconds))
    except OutboundError:
        raise
    except (OSError, ValueError, ntplib.NTPException) as error:
        raise _failed(source, type(error).__name__) from error
    if found.mode != _SERVER or found.leap == _UNSYNCHRONISED or found.stratum not in _STRATA:
        raise _failed(source, f"mode {found.mode}, leap {found.leap}, stratum {found.stratum}")
    if not 0 <= found.dest_time - found.orig_time <= seconds:  # an answer to what we sent names when we sent it
        raise _failed(source, "an answer to another question")
    return float(found.offset)


def _ask(host: str, port: int, networks: Sequence[str], seconds: float) -> ntplib.NTPStats:
    allowed = [ipaddress.ip_network(each) for each in networks]
    address = checked_addresses(resolve(host, port), host, allowed)[0]
    return ntplib.NTPClient().request(str(address), version=4, port=port, timeout=seconds)


def _failed(source: str, found: str) -> OutboundFailedError:
    return OutboundFailedError(
        "time-source-failed",
        f"时间源 {source} 没有可用的应答（{found}）",
        f"time source {source} gave no usable answer ({found})",
    )
