"""Challenges: what was asked of a browser, to be answered once and soon.

The browser keeps a random handle; the row is found by its digest and deleted by whoever takes it first.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from accounts.tables import challenges
from ledger.moments import from_text, to_text

LIFETIME: Final = timedelta(minutes=5)
_HANDLE_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What is waiting for an answer; ``person`` is None while nobody is known."""

    purpose: str
    challenge: bytes = field(repr=False)
    person: str | None
    expires: datetime


def put(connection: Connection, challenge: Challenge, now: datetime) -> str:
    """Keep ``challenge`` and give the handle for it. What has lapsed is deleted on the way."""
    connection.execute(delete(challenges).where(challenges.c.expires <= to_text(now)))
    handle = token_urlsafe(_HANDLE_BYTES)
    connection.execute(
        insert(challenges).values(
            digest=_digest(handle),
            purpose=challenge.purpose,
            challenge=challenge.challenge,
            person=challenge.person,
            expires=to_text(min(challenge.expires, now + LIFETIME)),
        )
    )
    return handle


def look(connection: Connection, handle: str, now: datetime) -> Challenge | None:
    """The challenge of ``handle``, left where it is: for a page that shows what will be asked."""
    row = connection.execute(select(challenges).where(challenges.c.digest == _digest(handle))).one_or_none()
    if row is None or from_text(row.expires) <= now:
        return None
    return Challenge(purpose=row.purpose, challenge=row.challenge, person=row.person, expires=from_text(row.expires))


def take(connection: Connection, handle: str, now: datetime) -> Challenge | None:
    """The challenge of ``handle``, which nobody else gets again; None when there is none or its time is over."""
    row = connection.execute(
        delete(challenges)
        .where(challenges.c.digest == _digest(handle))
        .returning(challenges.c.purpose, challenges.c.challenge, challenges.c.person, challenges.c.expires)
    ).one_or_none()
    if row is None or from_text(row.expires) <= now:
        return None
    return Challenge(purpose=row.purpose, challenge=row.challenge, person=row.person, expires=from_text(row.expires))


def end_all(connection: Connection, person: str) -> None:
    """Nothing that was asked of ``person`` is waiting for an answer any more."""
    connection.execute(delete(challenges).where(challenges.c.person == person))


def _digest(handle: str) -> bytes:
    return sha256(handle.encode("utf-8", "replace")).digest()
