"""Passkeys to sign in with (W3C Web Authentication), as stored. They approve nothing: approval keys are others."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from accounts.desk import Desk
from accounts.errors import PasskeyError, StateError
from accounts.events import enter
from accounts.store import account_of, passkey_count
from accounts.tables import passkeys
from ledger.moments import from_text, to_text

MOST: Final = 10
"""Passkeys of one person."""
LONGEST_LABEL: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """One passkey of a person. ``public_key`` is a COSE_Key."""

    credential: bytes
    person: str
    public_key: bytes = field(repr=False)
    sign_count: int
    label: str
    created: datetime
    last_used: datetime | None


def passkeys_of(connection: Connection, person: str) -> tuple[Passkey, ...]:
    """The person's passkeys, the oldest first."""
    query = select(passkeys).where(passkeys.c.person == person).order_by(passkeys.c.created)
    return tuple(_passkey(row) for row in connection.execute(query).mappings())


def find_passkey(connection: Connection, credential: bytes) -> Passkey | None:
    """The passkey of this credential id, whoever's it is."""
    row = connection.execute(select(passkeys).where(passkeys.c.credential == credential)).mappings().one_or_none()
    return None if row is None else _passkey(row)


def add_passkey(connection: Connection, desk: Desk, passkey: Passkey) -> None:
    """Keep a passkey that was just checked, with its ledger entry.

    Raises :class:`StateError` ``account-not-open``, ``passkeys-full``; :class:`PasskeyError` ``passkey-known``.
    """
    person = passkey.person
    if account_of(connection, person, lock=True) is None:
        raise StateError("account-not-open", "该人员没有启用中的帐户", "the person has no open account")
    count = passkey_count(connection, person)
    if count >= MOST:
        raise StateError(
            "passkeys-full",
            f"已有 {count} 个通行密钥，至多 {MOST} 个；请先删除不用的",
            f"there are {count} passkeys, {MOST} at most; please remove one that is not used",
        )
    if find_passkey(connection, passkey.credential) is not None:
        raise PasskeyError("passkey-known", "该通行密钥已登记过", "this passkey was added before")
    connection.execute(
        insert(passkeys).values(
            credential=passkey.credential,
            person=person,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            label=passkey.label,
            created=to_text(passkey.created),
        )
    )
    told = {"person": person, "credential": digest_of(passkey.credential)}
    enter(connection, desk.book, "account.passkey_added", told=told, now=passkey.created)


def remove_passkey(desk: Desk, person: str, credential: bytes, now: datetime) -> bool:
    """Forget one passkey of ``person``; whether there was one. Another person's passkey is not touched."""
    with desk.database.write() as connection:
        gone = delete(passkeys).where(passkeys.c.credential == credential, passkeys.c.person == person)
        removed = connection.execute(gone).rowcount == 1
        if removed:
            told = {"person": person, "credential": digest_of(credential)}
            enter(connection, desk.book, "account.passkey_removed", told=told, now=now)
    return removed


def remove_all(connection: Connection, person: str) -> int:
    """Forget all passkeys of ``person``; how many."""
    return connection.execute(delete(passkeys).where(passkeys.c.person == person)).rowcount


def count_use(connection: Connection, credential: bytes, sign_count: int, now: datetime) -> bool:
    """Write a use down. False, and nothing written, unless the authenticator counted on: a copy may exist.

    An authenticator that does not count says 0 each time (WebAuthn 6.1.1).
    """
    counted_on = (passkeys.c.sign_count < sign_count) | ((passkeys.c.sign_count == 0) & (sign_count == 0))
    used = (
        update(passkeys)
        .where(passkeys.c.credential == credential, counted_on)
        .values(sign_count=sign_count, last_used=to_text(now))
    )
    return connection.execute(used).rowcount == 1


def digest_of(credential: bytes) -> str:
    """How a ledger entry names a passkey."""
    return "sha256:" + sha256(credential).hexdigest()


def _passkey(row: RowMapping) -> Passkey:
    return Passkey(
        credential=row["credential"],
        person=row["person"],
        public_key=row["public_key"],
        sign_count=row["sign_count"],
        label=row["label"],
        created=from_text(row["created"]),
        last_used=None if row["last_used"] is None else from_text(row["last_used"]),
    )
