"""Whether this host's clock may vouch for a time: checked before every time-stamp.

It is not trusted when it stands below the last entry of the ledger, when it jumped since this process started, or
when it differs from two time sources. A source that cannot be asked counts as one that differs.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from time import CLOCK_BOOTTIME, clock_gettime
from typing import Final

from outbound.errors import OutboundError
from outbound.time_sources import clock_offset
from sealing.clock import Clock, utc_now
from sealing.errors import ClockNotTrustedError, InstallationError
from sealing.settings import Settings

LARGEST_ERROR: Final = timedelta(seconds=2)
"""How far the clock may jump, or be from a time source."""
LONGEST_WAIT: Final = timedelta(seconds=10)
"""How long a caller may have waited since it read the clock, while others wrote to the ledger."""
_ASK_AGAIN: Final = 60.0  # seconds
_TOO_MANY: Final = 2  # sources that contradict the clock

Elapsed = Callable[[], float]
"""Seconds from some moment, never set back; counts the time in which the host slept."""
Source = Callable[[], float]
"""Seconds that a time source is ahead of the clock. Raises ``outbound.errors.OutboundError``."""


def boot_time() -> float:
    """Seconds since this host started."""
    return clock_gettime(CLOCK_BOOTTIME)


class ClockWatch:
    """Watches the clock of one process from its start. Shared by threads."""

    def __init__(self, sources: Sequence[Source] = (), *, clock: Clock = utc_now, elapsed: Elapsed = boot_time) -> None:
        """``sources`` are asked at most once a minute."""
        self._sources, self._clock, self._elapsed = tuple(sources), clock, elapsed
        self._started, self._started_at = elapsed(), clock()
        self._lock = Lock()
        self._asked: float | None = None
        self._contradicting = 0

    @classmethod
    def of(cls, settings: Settings) -> "ClockWatch":
        """A watch with the time sources of the settings. Raises :class:`InstallationError` for a single one."""
        hosts = settings.time_sources
        if len(hosts) == 1:
            raise InstallationError(
                "time-sources-too-few",
                "time_sources 只有一个时间源，应为两个以上，或不设置",
                "time_sources names one source; two or more are expected, or none",
            )
        return cls([partial(clock_offset, host, networks=settings.outbound_networks) for host in hosts])

    def check(self, now: datetime, last_entry: datetime | None) -> datetime:
        """The time that may be vouched for: ``now``, or that of the last entry when it was written after ``now``.

        Raises :class:`ClockNotTrustedError`.
        """
        self._check_jump()
        self._check_sources()
        if last_entry is None or now >= last_entry:
            return now
        if last_entry - now > LONGEST_WAIT or self._clock() < last_entry:
            raise ClockNotTrustedError(
                "clock-behind-ledger",
                f"时钟为 {now:%F %T}，早于账本最近一条 {last_entry:%F %T}（UTC）",
                f"the clock says {now:%F %T} UTC, before the last entry of the ledger, {last_entry:%F %T}",
            )
        return last_entry

    def _check_jump(self) -> None:
        passed = timedelta(seconds=self._elapsed() - self._started)
        jump = self._clock() - self._started_at - passed
        if abs(jump) > LARGEST_ERROR:
            raise ClockNotTrustedError(
                "clock-jumped",
                f"本进程启动以来时钟跳变了 {jump.total_seconds():.1f} 秒；核对时间后请重新启动",
                f"the clock jumped by {jump.total_seconds():.1f} s since this process started;"
                " check it, then start the service anew",
            )

    def _check_sources(self) -> None:
        if not self._sources:
            return
        with self._lock:
            if self._asked is None or self._elapsed() - self._asked > _ASK_AGAIN:
                with ThreadPoolExecutor(len(self._sources)) as pool:
                    self._contradicting = sum(pool.map(_contradicts, self._sources))
                self._asked = self._elapsed()
            contradicting = self._contradicting
        if contradicting >= _TOO_MANY:
            raise ClockNotTrustedError(
                "clock-differs",
                f"{len(self._sources)} 个时间源中有 {contradicting} 个与时钟相差超过 2 秒或无法询问",
                f"{contradicting} of {len(self._sources)} time sources are over 2 s from the clock or cannot be asked",
            )


def _contradicts(source: Source) -> bool:
    try:
        return abs(source()) > LARGEST_ERROR.total_seconds()
    except OutboundError:
        return True
