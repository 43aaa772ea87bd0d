"""Every try to sign in, for the person to see. A name that is nobody's is not kept: it may be a password mistyped."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, delete, insert, select, update

from accounts.tables import sign_ins
from accounts.visitors import Visitor
from ledger.ids import new_id
from ledger.moments import from_text, to_text

How = Literal["password", "totp", "passkey"]
Outcome = Literal[
    "signed-in",
    "half-way",  # the password was right, the second factor has not come yet
    "password-changed",
    "wrong",
    "locked",  # not looked at, since the account was locked
    "unknown",
    "refused",  # a passkey's answer that does not hold
    "count-went-back",  # a passkey that counts lower than before: perhaps a copy
]

KEPT: Final = timedelta(days=366)
"""Longer than the six months that 网络安全法 21 asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One try."""

    time: datetime
    how: How
    outcome: Outcome
    address: str
    browser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What is recorded of one try besides its outcome."""

    person: str | None
    how: How
    visitor: Visitor
    now: datetime


def record(connection: Connection, tried: Try, outcome: Outcome) -> str:
    """Write the try down; its id. What is older than a year is deleted on the way."""
    connection.execute(delete(sign_ins).where(sign_ins.c.time < to_text(tried.now - KEPT)))
    entry = new_id("try")
    connection.execute(
        insert(sign_ins).values(
            id=entry,
            person=tried.person,
            time=to_text(tried.now),
            how=tried.how,
            outcome=outcome,
            **tried.visitor.columns,
        )
    )
    return entry


def amend(connection: Connection, entry: str, outcome: Outcome) -> None:
    """Say how a try ended that was written down before it was judged."""
    connection.execute(update(sign_ins).where(sign_ins.c.id == entry).values(outcome=outcome))


def sign_ins_of(connection: Connection, person: str, *, limit: int = 50) -> tuple[SignIn, ...]:
    """The person's last tries, the newest first."""
    query = select(sign_ins).where(sign_ins.c.person == person).order_by(sign_ins.c.time.desc()).limit(limit)
    return tuple(
        SignIn(
            time=from_text(row["time"]),
            how=row["how"],
            outcome=row["outcome"],
            address=row["address"],
            browser=row["browser"],
        )
        for row in connection.execute(query).mappings()
    )
