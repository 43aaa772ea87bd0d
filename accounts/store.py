"""Reading and changing the rows of accounts and of their passkeys."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, update

from accounts.tables import accounts, passkeys
from ledger.moments import from_text
from policies.folding import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account of one person, as stored."""

    person: str
    name: str
    password: str = field(repr=False)
    totp: bytes | None = field(repr=False)
    totp_step: int
    failed: int
    locked_until: datetime | None
    hold_until: datetime | None
    state: Literal["open", "closed"]
    created: datetime

    def locked(self, now: datetime) -> bool:
        """Whether no password or code is looked at now."""
        return self.locked_until is not None and now < self.locked_until


def account_named(connection: Connection, sign_in_name: str, *, lock: bool = False) -> Account | None:
    """The open account of this sign-in name, however it is typed. ``lock`` holds it until the transaction ends."""
    return _one(connection, (accounts.c.name_key == fold(sign_in_name)) & (accounts.c.state == "open"), lock=lock)


def account_of(connection: Connection, person: str, *, lock: bool = False) -> Account | None:
    """The person's open account. ``lock`` holds it until the transaction ends."""
    return _one(connection, (accounts.c.person == person) & (accounts.c.state == "open"), lock=lock)


def change(connection: Connection, person: str, **columns: Any) -> None:  # noqa: ANN401  the columns' own types
    """Change columns of the person's account."""
    connection.execute(update(accounts).where(accounts.c.person == person).values(**columns))


def approvals_held(connection: Connection, person: str, now: datetime) -> bool:
    """Whether the person recovered the account so lately that what they approve must wait."""
    found = account_of(connection, person)
    return found is not None and found.hold_until is not None and now < found.hold_until


def passkey_count(connection: Connection, person: str) -> int:
    """How many passkeys the person can sign in with."""
    counted: int = connection.execute(
        select(func.count()).select_from(passkeys).where(passkeys.c.person == person)
    ).scalar_one()
    return counted


def _one(connection: Connection, condition: ColumnElement[bool], *, lock: bool) -> Account | None:
    query = select(accounts).where(condition)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _account(row)


def _account(row: RowMapping) -> Account:
    return Account(
        person=row["person"],
        name=row["name"],
        password=row["password"],
        totp=row["totp"],
        totp_step=row["totp_step"],
        failed=row["failed"],
        locked_until=_moment(row["locked_until"]),
        hold_until=_moment(row["hold_until"]),
        state=row["state"],
        created=from_text(row["created"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
