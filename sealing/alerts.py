"""Alerts: a use beyond a seal's usual pattern is told to its grantor, and can stop the seal, in the commit of that use.

An alert is the entry ``seal.alerted`` and nothing else; who may see it follows from what it holds. The client whose
use raised it is not told: it may be in the wrong hands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ledger.book import StoredEntry
from ledger.entry import Draft
from ledger.ids import new_id
from ledger.moments import to_text
from registry.changes import Changes
from registry.store import Act, Actor
from sealing.administration.seals import change_within
from sealing.bursts import Burst, BurstWatch, alert_subject
from sealing.gather import Gathered
from sealing.order import Caller
from sealing.workshop import Workshop

ALERTED = "seal.alerted"
WATCH = "印信服务 Yinxin service"
_BEHIND = timedelta(microseconds=1)
"""A seal that stops itself stops behind the use that made it stop: that use was allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert as its entry tells it. ``threshold`` uses in one hour would still have been usual."""

    id: str
    entry: int
    time: datetime
    seal: str
    seal_name: str
    grantor: str
    grantee: str
    impression: str
    client: str
    address: str | None
    uses: int
    since: str
    threshold: int
    floor: int
    factor: int
    busiest: int
    suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which alerts to list: behind entry ``after``, of one seal or of all."""

    after: int = -1
    seal: str | None = None


class Alarm:
    """Watches the uses that one process records."""

    def __init__(self, shop: Workshop) -> None:
        """The pattern's floor and factor are those of the settings."""
        self._shop, settings = shop, shop.settings
        self._watch = BurstWatch(shop.book, floor=settings.burst_floor, factor=settings.burst_factor)

    def watch(self, connection: Connection, impression: str, gathered: Gathered, caller: Caller, now: datetime) -> None:
        """Tell of a burst, and suspend the seal where its owner wants that; in the transaction of ``impression``.

        The caller holds the agreement's lock. Raises ``registry`` and ``ledger`` errors; then nothing was sealed.
        """
        if gathered.parts is None:
            return
        limits = gathered.parts.seal.record.limits
        burst = self._watch.look(connection, gathered.seal_id, limits.burst_floor, now)
        if burst is None:
            return
        draft = _draft(burst, impression, gathered, caller, suspends=limits.suspend_on_burst)
        self._shop.book.append(connection, draft, now)
        if limits.suspend_on_burst:
            act = Act(
                by=Actor(id=self._shop.installation.id, name=WATCH, organ=None), why=_why(burst), now=now + _BEHIND
            )
            change_within(
                Changes(store=self._shop.registry, connection=connection, act=act),
                gathered.seal_id,
                "suspend",
                role="system",
            )


def _draft(burst: Burst, impression: str, gathered: Gathered, caller: Caller, *, suspends: bool) -> Draft:
    alert, seal, pattern = new_id("alr"), gathered.seal_group(), burst.pattern
    return Draft(
        kind=ALERTED,
        subjects=(alert, alert_subject(gathered.seal_id)),
        groups={
            "alert": {
                "id": alert,
                "impression": impression,
                "uses": burst.uses,
                "since": to_text(burst.since),
                "threshold": pattern.threshold,
                "floor": pattern.floor,
                "factor": pattern.factor,
                "busiest": pattern.busiest,
                "suspended": suspends,
            },
            "seal": {name: seal[name] for name in ("seal", "seal_name", "grantor_code", "grantee_code")},
            "caller": {"client": caller.client, "address": caller.address},
        },
    )


def _why(burst: Burst) -> str:
    pattern = burst.pattern
    return (
        f"一小时内用章 {burst.uses} 次，超过通常上限 {pattern.threshold} 次"
        f"（不少于 {pattern.floor}，近 30 日最忙一小时 {pattern.busiest} 次的 {pattern.factor} 倍），自动停用 / "
        f"{burst.uses} uses in one hour, beyond the usual {pattern.threshold}: suspended by the service"
    )


def listed(connection: Connection, shop: Workshop, selection: Selection) -> Iterator[Alert]:
    """Alerts in the order of the record. Raises ``ledger.errors.RecordBrokenError`` on a changed entry."""
    for index in shop.book.indexes(connection, ALERTED, after=selection.after):
        alert = _alert(shop.book.entry(connection, index))
        if selection.seal in {None, alert.seal}:
            yield alert


def _alert(stored: StoredEntry) -> Alert:
    alert, seal, caller = (_group(stored, name) for name in ("alert", "seal", "caller"))
    return Alert(
        entry=stored.index,
        time=stored.time,
        seal=seal["seal"],
        seal_name=seal["seal_name"],
        grantor=seal["grantor_code"],
        grantee=seal["grantee_code"],
        **caller,
        **alert,
    )


def _group(stored: StoredEntry, name: str) -> dict[str, Any]:
    value = stored.value(name)  # none of these groups can be erased
    return value if isinstance(value, dict) else {}
