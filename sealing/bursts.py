"""When a seal's use looks unlike it: more uses in one hour than its busiest hour of the last 30 days lets expect.

The pattern is simple on purpose, so that people can say beforehand what raises an alert (docs/limits.md). Hours around
an earlier alert are no part of it: a burst does not become usual by having happened.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, bindparam, func, literal_column, select

from ledger.book import Book
from ledger.moments import from_text, to_text
from ledger.tables import subjects
from registry.record import derived_id
from sealing.tables import impressions

WINDOW = timedelta(hours=1)
MEMORY = timedelta(days=30)
_HOUR = len("2026-11-23T09")
_REMEMBERED = 1_000

_uses: Select[tuple[str]] = select(literal_column("1")).where(
    impressions.c.seal == bindparam("seal"), impressions.c.impressed_at > bindparam("since")
)
_recent = select(func.count()).select_from(_uses.limit(bindparam("most")).subquery())
_hour = func.substr(impressions.c.impressed_at, literal_column("1"), literal_column(str(_HOUR)))
_by_hour = (
    select(_hour, func.count())
    .where(
        impressions.c.seal == bindparam("seal"),
        impressions.c.impressed_at >= bindparam("since"),
        impressions.c.impressed_at < bindparam("until"),
    )
    .group_by(_hour)
)
_alerts = (
    select(subjects.c.index)
    .where(subjects.c.subject == bindparam("subject"))
    .order_by(subjects.c.index.desc())
    .limit(int(MEMORY / WINDOW))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What is usual for a seal: uses in its busiest hour, and how far above that nobody need look."""

    floor: int  # uses in one hour that are never a burst
    factor: int
    busiest: int

    @property
    def threshold(self) -> int:
        """The most uses in one hour that are still usual."""
        return max(self.floor, self.factor * self.busiest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Uses of one hour beyond a seal's pattern."""

    uses: int
    since: datetime
    pattern: Pattern


def alert_subject(seal: str) -> str:
    """The ledger subject of all alerts about one seal; not the seal's id, which its own row goes by."""
    return derived_id("bur", seal)


def busiest_hour(uses: Mapping[str, int], left_out: Collection[str]) -> int:
    """The most uses of one clock hour (``2026-11-23T09``, UTC) but those ``left_out``; 0 where there is none."""
    return max((count for hour, count in uses.items() if hour not in left_out), default=0)


def hours_around(moments: Iterable[datetime]) -> set[str]:
    """The clock hours that a window before or behind one of these moments touches."""
    return {_clock_hour(moment + step) for moment in moments for step in (-WINDOW, timedelta(0), WINDOW)}


class BurstWatch:
    """Looks at each use as it is recorded. What was usual until this clock hour is counted once and remembered."""

    def __init__(self, book: Book, *, floor: int, factor: int) -> None:
        """``floor`` and ``factor`` as the installation sets them; a seal may have a floor of its own."""
        self._book, self._floor, self._factor = book, floor, factor
        self._busiest: dict[tuple[str, str, int | None], int] = {}

    def look(self, connection: Connection, seal: str, floor: int | None, now: datetime) -> Burst | None:
        """A burst in the hour until ``now``, unless one was told within that hour.

        Called under the agreement's lock, after the use was recorded. Raises ``ledger.errors.RecordBrokenError``.
        """
        floor, since = floor or self._floor, now - WINDOW
        if self._uses(connection, seal, since, most=floor + 1) <= floor:
            return None
        last = self._book.latest(connection, alert_subject(seal))
        if last is not None and last.time > since:
            return None
        busiest = self._usual(connection, seal, now, None if last is None else last.index)
        pattern = Pattern(floor=floor, factor=self._factor, busiest=busiest)
        if self._uses(connection, seal, since, most=pattern.threshold + 1) <= pattern.threshold:
            return None
        return Burst(uses=self._uses(connection, seal, since, most=2**31), since=since, pattern=pattern)

    @staticmethod
    def _uses(connection: Connection, seal: str, since: datetime, *, most: int) -> int:
        values = {"seal": seal, "since": to_text(since), "most": most}
        return int(connection.execute(_recent, values).scalar_one())

    def _usual(self, connection: Connection, seal: str, now: datetime, last: int | None) -> int:
        """The busiest hour before the present window. Only an alert, or another hour, can change it."""
        key = (seal, _clock_hour(now), last)
        if key not in self._busiest:
            while len(self._busiest) >= _REMEMBERED:
                self._busiest.pop(next(iter(self._busiest)), None)
            self._busiest[key] = self._counted(connection, seal, now)
        return self._busiest[key]

    def _counted(self, connection: Connection, seal: str, now: datetime) -> int:
        present = from_text(f"{_clock_hour(now)}:00:00.000000Z")
        since, until = to_text(present - MEMORY), to_text(present - WINDOW)
        rows = connection.execute(_by_hour, {"seal": seal, "since": since, "until": until})
        uses = {hour: count for hour, count in rows}  # noqa: C416  rows are no pairs to mypy
        told = connection.execute(_alerts, {"subject": alert_subject(seal)}).scalars()
        return busiest_hour(uses, hours_around(self._book.entry(connection, index).time for index in told))


def _clock_hour(moment: datetime) -> str:
    return to_text(moment)[:_HOUR]
