"""After a crash: close what was left open. Recovery always abandons and never rolls forward."""

from dataclasses import dataclass

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
    comes second finds the attempt ended and records nothing.
    """
    with shop.database.read() as connection:
        waiting = applications.lapsed(connection, clock())
    closed = []
    for attempt in waiting:
        with shop.database.write() as connection:
            if abandon(connection, shop.book, attempt, reason=LAPSED, key_used=True, now=clock()):
                closed.append(
                    Recovered(attempt=attempt.id, application=attempt.application, intent_entry=attempt.intent_entry)
                )
    return closed
