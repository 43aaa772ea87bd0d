"""How seals were used over a period, counted from the index of the usage register: no name, no document.

Bounded by the period: lines outside of it are not looked at.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, func, select

from registry.china_time import BEIJING
from sealing.register_lines import IMPRESSED
from sealing.tables import register_lines as lines
from sealing.tables import register_rules

DAYS: Final = 30
"""Days that a view covers, today included."""
Side = Literal["grantor", "grantee"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """Seal uses and paper uses (``done``), and refusals."""

    done: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Whole seconds from application to seal: half were faster than ``half``, nine of ten faster than ``most``."""

    half: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The uses of some organs' seals over ``days`` days to today, in Beijing."""

    days: list[tuple[date, Uses]]  # every day, the oldest first
    items: list[tuple[str, Uses]]  # list and number, as 001-2 30; the busiest first
    organs: list[tuple[str, Uses]]  # code of the other side; the busiest first
    rules: list[tuple[str, int]]  # code of a rule, refusals it stood in; the most frequent first
    total: Uses
    waiting: Waiting | None


def statistics(connection: Connection, organs: Sequence[str], *, side: Side, now: datetime) -> Statistics:
    """What ``organs`` (codes) lent (``grantor``) or used (``grantee``) in the last :data:`DAYS` days."""
    today = now.astimezone(BEIJING).date()
    dates = [today - timedelta(days=DAYS - 1 - each) for each in range(DAYS)]
    own, other = (lines.c.grantor, lines.c.grantee) if side == "grantor" else (lines.c.grantee, lines.c.grantor)
    theirs = own.in_(organs) & (lines.c.local_date >= dates[0].isoformat())
    days, items, organ_uses = _Tally(), _Tally(), _Tally()
    query = (
        select(lines.c.local_date, lines.c.item, other.label("other"), lines.c.kind, func.count().label("uses"))
        .where(theirs)
        .group_by(lines.c.local_date, lines.c.item, other, lines.c.kind)
    )
    for row in connection.execute(query):
        refused = row.kind == "seal.refused"
        for tally, name in ((days, row.local_date), (items, row.item), (organ_uses, row.other)):
            tally.add(name, row.uses, refused=refused)
    by_day = [(each, days.uses(each.isoformat())) for each in dates]
    return Statistics(
        days=by_day,
        items=items.busiest(),
        organs=organ_uses.busiest(),
        rules=_rules(connection, theirs),
        total=Uses(done=sum(uses.done for _, uses in by_day), refused=sum(uses.refused for _, uses in by_day)),
        waiting=_waiting(connection, theirs),
    )


class _Tally:
    def __init__(self) -> None:
        self._done: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def add(self, name: str, uses: int, *, refused: bool) -> None:
        (self._refused if refused else self._done)[name] += uses

    def uses(self, name: str) -> Uses:
        return Uses(done=self._done[name], refused=self._refused[name])

    def busiest(self) -> list[tuple[str, Uses]]:
        ordered = sorted((self._done + self._refused).items(), key=lambda each: (-each[1], each[0]))
        return [(name, self.uses(name)) for name, _ in ordered]


def _rules(connection: Connection, theirs: ColumnElement[bool]) -> list[tuple[str, int]]:
    query = (
        select(register_rules.c.rule, func.count().label("refusals"))
        .join(lines, lines.c.entry_index == register_rules.c.entry_index)
        .where(theirs)
        .group_by(register_rules.c.rule)
        .order_by(func.count().desc(), register_rules.c.rule)
    )
    return [(row.rule, row.refusals) for row in connection.execute(query)]


def _waiting(connection: Connection, theirs: ColumnElement[bool]) -> Waiting | None:
    """Nearest-rank percentiles, counted by the database."""
    sealed = theirs & (lines.c.kind == IMPRESSED) & lines.c.seconds.is_not(None)
    count: int = connection.execute(select(func.count()).where(sealed)).scalar_one()
    if not count:
        return None

    def at(share: int) -> int:
        place = -(-count * share // 100) - 1
        query = select(lines.c.seconds).where(sealed).order_by(lines.c.seconds).offset(place).limit(1)
        return int(connection.execute(query).scalar_one())

    return Waiting(half=at(50), most=at(90))
