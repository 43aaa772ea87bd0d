"""Sessions: what a browser that has signed in keeps, for a working day at most.

The token has 256 random bits; only its SHA-256 digest is stored.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_bytes, token_urlsafe
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select, update

from accounts.tables import sessions
from accounts.visitors import Visitor
from ledger.database import Database
from ledger.moments import from_text, to_text

Factors = Literal["password", "password+totp", "password+passkey", "passkey"]

IDLE: Final = timedelta(minutes=30)
"""A session that was not used for so long has ended."""
LONGEST: Final = timedelta(hours=12)
"""So long after signing in a session ends, used or not."""
SEEN_AGAIN: Final = timedelta(minutes=1)
"""A use is written down when the last one written is this old."""
_TOKEN_BYTES: Final = 32
_CSRF_DOMAIN: Final = b"yinxin/csrf/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A living session. ``id`` names it to its person; it is no token and opens nothing."""

    id: str
    person: str
    created: datetime
    last_seen: datetime
    expires: datetime
    factors: Factors
    address: str
    browser: str
    csrf_secret: bytes = field(repr=False)

    @property
    def with_passkey(self) -> bool:
        """Whether a passkey was used to sign in."""
        return self.factors.endswith("passkey")


def open_session(connection: Connection, person: str, factors: Factors, *, visitor: Visitor, now: datetime) -> str:
    """A new session; the token, base64url, which is told once. Sessions that have lapsed are deleted on the way."""
    connection.execute(delete(sessions).where(sessions.c.expires <= to_text(now)))
    token = token_urlsafe(_TOKEN_BYTES)
    connection.execute(
        insert(sessions).values(
            digest=_digest(token),
            person=person,
            created=to_text(now),
            last_seen=to_text(now),
            expires=to_text(now + LONGEST),
            factors=factors,
            csrf_secret=token_bytes(32),
            **visitor.columns,
        )
    )
    return token


def prove_session(connection: Connection, session: Session, *, visitor: Visitor, now: datetime) -> str:
    """A session opened with a password only goes on as one with a passkey; the new token, the old one has ended.

    For a person who just made a passkey, present and verified, in that session.
    """
    close_session(connection, session.person, session.id)
    return open_session(connection, session.person, "password+passkey", visitor=visitor, now=now)


def find_session(connection: Connection, token: str, now: datetime) -> Session | None:
    """The living session of ``token``; None when there is none. Writes nothing."""
    row = (
        connection.execute(select(sessions).where(sessions.c.digest == _digest(token), _alive(now))).mappings().first()
    )
    return None if row is None else _session(row)


def use_session(database: Database, token: str, now: datetime) -> Session | None:
    """As :func:`find_session`, and the use is written down when the last one was a minute ago.

    A write that a power cut takes back costs a minute of idle time, so nobody waits for the disk.
    """
    with database.read() as connection:
        found = find_session(connection, token, now)
    if found is not None and now - found.last_seen >= SEEN_AGAIN:
        with database.write(sync=False) as connection:
            connection.execute(
                update(sessions).where(sessions.c.digest == _digest(token), _alive(now)).values(last_seen=to_text(now))
            )
    return found


def sessions_of(connection: Connection, person: str, now: datetime) -> tuple[Session, ...]:
    """The person's living sessions, the newest first."""
    query = select(sessions).where(sessions.c.person == person, _alive(now)).order_by(sessions.c.created.desc())
    return tuple(_session(row) for row in connection.execute(query).mappings())


def close_session(connection: Connection, person: str, session_id: str) -> bool:
    """End one session of ``person``; whether there was one. Another person's session is not touched."""
    try:
        digest = bytes.fromhex(session_id)
    except ValueError:
        return False
    done = connection.execute(delete(sessions).where(sessions.c.digest == digest, sessions.c.person == person))
    return bool(done.rowcount)


def close_all(connection: Connection, person: str, *, but: str | None = None) -> int:
    """End all sessions of ``person``, except the one whose id is ``but``; how many."""
    statement = delete(sessions).where(sessions.c.person == person)
    if but is not None:
        statement = statement.where(sessions.c.digest != bytes.fromhex(but))
    return connection.execute(statement).rowcount


def csrf_token(session: Session) -> str:
    """What every form of this session carries: HMAC-SHA256 under the session's own secret, base64url."""
    made = hmac.digest(session.csrf_secret, _CSRF_DOMAIN + session.id.encode(), sha256)
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def csrf_fits(session: Session, given: str) -> bool:
    """Whether ``given`` is the session's CSRF token; compared in constant time."""
    return hmac.compare_digest(csrf_token(session).encode(), given.encode("utf-8", "replace"))


def _alive(now: datetime) -> ColumnElement[bool]:
    return (sessions.c.expires > to_text(now)) & (sessions.c.last_seen > to_text(now - IDLE))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()


def _session(row: RowMapping) -> Session:
    return Session(
        id=row["digest"].hex(),
        person=row["person"],
        created=from_text(row["created"]),
        last_seen=from_text(row["last_seen"]),
        expires=from_text(row["expires"]),
        factors=row["factors"],
        address=row["address"],
        browser=row["browser"],
        csrf_secret=row["csrf_secret"],
    )
