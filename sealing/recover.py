"""After a crash: close what was left open. Recovery always abandons and never rolls forward."""

from dataclasses import dataclass
from datetime import datetime

from registry.errors import RowTamperedError
from sealing import applications
from sealing.abandon import LAPSED, abandon
from sealing.clock import Clock, utc_now
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """One attempt that recovery closed."""

    attempt: str
    application: str
    intent_entry: int


def recover(shop: Workshop, clock: Clock = utc_now) -> list[Recovered]:
    """Abandon every attempt whose lease has lapsed; each in a transaction of its own.

    A worker that still lives is fenced by the compare-and-set on the attempt's state: whichever of the two
    comes second finds the attempt ended and records nothing. When no attempt is alive any more, files that a killed
    process left in ``incoming`` are removed: one may carry a signature that never counts.

    Raises :class:`RowTamperedError` for the first attempt whose row does not fit the record, after the others.
    """
    with shop.database.read() as connection:
        waiting = applications.lapsed(connection, clock())
    closed, refused = [], list[RowTamperedError]()
    for attempt in waiting:
        try:
            with shop.database.write() as connection:
                ended = abandon(connection, shop.book, attempt, reason=LAPSED, key_used=True, now=clock())
        except RowTamperedError as error:
            refused.append(error)
            continue
        if ended:
            closed.append(
                Recovered(attempt=attempt.id, application=attempt.application, intent_entry=attempt.intent_entry)
            )
    _clear_incoming(shop, clock())
    if refused:
        raise refused[0]
    return closed


def _clear_incoming(shop: Workshop, now: datetime) -> None:
    with shop.database.read() as connection:
        if applications.alive(connection):
            return
    for path in shop.documents.left(now):
        path.unlink(missing_ok=True)
