"""One administrative act is one transaction: committed when the block ends, and nothing of it before."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from registry.changes import Changes
from registry.errors import TransitionError
from registry.record import DatedRecord, Record, build
from registry.store import Act, Stored
from sealing.workshop import Workshop

R = TypeVar("R", bound=Record)
D = TypeVar("D", bound=DatedRecord)


@contextmanager
def acting(shop: Workshop, act: Act) -> Iterator[Changes]:
    """The changes that one act may make, in a transaction of its own.

    Raises what the changes raise, and ``ledger.errors.DatabaseError``.
    """
    with shop.database.write() as connection:
        yield Changes(store=shop.registry, connection=connection, act=act)


def put(changes: Changes, record: R, *, replaces: Stored[R] | None = None, verb: str | None = None) -> Stored[R]:
    """Write one record as part of the act. Raises as :meth:`registry.store.Registry.put`."""
    act = changes.act
    return changes.store.put(
        changes.connection,
        record,
        by=act.by,
        why=act.why,
        now=act.now,
        replaces=replaces,
        verb=verb,
        proposal=act.proposal,
    )


def end(changes: Changes, found: Stored[D]) -> Stored[D]:
    """Let a dated record hold no longer than until now. Raises :class:`TransitionError` ``ended-already``."""
    record, now = found.record, changes.act.now
    if record.valid_until is not None and record.valid_until <= now:
        raise TransitionError(
            "ended-already",
            f"{record.id} 已于 {_shown(record.valid_until)} 终止",
            f"{record.id} ended at {_shown(record.valid_until)} already",
        )
    ended = build(type(record), **{**dict(record), "valid_until": now})
    return put(changes, ended, replaces=found, verb="ended")


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
