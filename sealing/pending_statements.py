"""Statements that a person is about to sign with an approval passkey: fixed first, then shown, then signed, once.

A statement waits under a handle that only the person's browser knows, for five minutes. Whoever brings the handle sees
what one person was asked to sign; only an approval passkey of that person can sign it.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from accounts.store import approvals_held
from ledger.canonical import JsonValue, canonical
from ledger.moments import from_text, to_text
from registry.base64url import to_base64url
from registry.passkeys import Assertion
from registry.records import PersonKey
from registry.statements import asserted_statement, challenge_of
from sealing.errors import NotAllowedError, OrderError
from sealing.tables import pending_statements
from sealing.workshop import Workshop

LIFETIME: Final = timedelta(minutes=5)

_insert = insert(pending_statements)
_find = select(pending_statements).where(pending_statements.c.handle == bindparam("digest"))
_take = delete(pending_statements).where(pending_statements.c.handle == bindparam("digest"))
_lapsed = delete(pending_statements).where(pending_statements.c.expires < bindparam("now"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingStatement:
    """Who is asked to sign what; ``about`` is what the signature will be used for, known to this service only."""

    person: str
    typ: str
    payload: Mapping[str, Any]
    about: tuple[str, ...]

    @property
    def challenge(self) -> bytes:
        """What the authenticator signs."""
        return challenge_of(dict(self.payload), typ=self.typ)


def keep(connection: Connection, statement: PendingStatement, now: datetime) -> str:
    """Fix a statement and give its handle. What has lapsed is deleted on the way."""
    handle = secrets.token_urlsafe(32)
    connection.execute(_lapsed, {"now": to_text(now)})
    row = {
        "handle": _digest(handle),
        "person": statement.person,
        "typ": statement.typ,
        "payload": canonical(dict(statement.payload)).decode(),
        "about": canonical(list(statement.about)).decode(),
        "expires": to_text(now + LIFETIME),
    }
    connection.execute(_insert, row)
    return handle


def look(connection: Connection, handle: str, now: datetime) -> PendingStatement:
    """What waits under the handle. Raises :class:`OrderError` ``statement-handle-unknown``: used or lapsed."""
    row = connection.execute(_find, {"digest": _digest(handle)}).mappings().one_or_none()
    if row is None or from_text(row["expires"]) <= now:
        raise _gone()
    return PendingStatement(
        person=row["person"],
        typ=row["typ"],
        payload=json.loads(row["payload"]),
        about=tuple(json.loads(row["about"])),
    )


def take(shop: Workshop, handle: str, now: datetime) -> PendingStatement:
    """As :func:`look`, for good: also a statement whose signature is then refused is gone."""
    with shop.database.write() as connection:
        found = look(connection, handle, now)
        if connection.execute(_take, {"digest": _digest(handle)}).rowcount != 1:  # somebody was faster
            raise _gone()
    return found


def sign(
    connection: Connection,
    shop: Workshop,
    statement: PendingStatement,
    *,
    credential: str,
    assertion: Assertion,
    now: datetime,
) -> str:
    """The signed statement; whoever takes it checks the signature.

    ``credential`` is the id of the passkey that signed, base64url. Raises ``OrderError`` ``passkey-unknown``,
    :class:`NotAllowedError` ``approvals-held``.
    """
    check_not_held(connection, statement.person, now)
    for key in passkeys_of(connection, shop, statement.person, now):
        if key.passkey is not None and key.passkey.credential_id == credential:
            return asserted_statement(dict(statement.payload), typ=statement.typ, kid=key.id, assertion=assertion)
    raise OrderError(
        "passkey-unknown",
        "这把通行密钥不是您登记的批准通行密钥",
        "this passkey is none of the approval passkeys registered for you",
    )


def options(connection: Connection, shop: Workshop, statement: PendingStatement, now: datetime) -> dict[str, JsonValue]:
    """What ``navigator.credentials.get`` is asked with (WebAuthn 5.5), base64url where it takes bytes."""
    keys = [each.passkey for each in passkeys_of(connection, shop, statement.person, now) if each.passkey]
    return {
        "challenge": to_base64url(statement.challenge),
        "rpId": keys[0].rp_id if keys else "",
        "allowCredentials": [{"type": "public-key", "id": each.credential_id} for each in keys],
        "userVerification": "required",
        "timeout": int(LIFETIME.total_seconds() * 1000),
    }


def check_can_sign(connection: Connection, shop: Workshop, person: str, now: datetime) -> None:
    """Raise :class:`NotAllowedError` ``no-approval-passkey`` or ``approvals-held``, before anybody is asked to sign."""
    check_not_held(connection, person, now)
    if not passkeys_of(connection, shop, person, now):
        raise NotAllowedError(
            "no-approval-passkey",
            "您还没有可用的批准通行密钥，请先登记",
            "you have no approval passkey that can be used now; register one first",
        )


def check_not_held(connection: Connection, person: str, now: datetime) -> None:
    """Raise :class:`NotAllowedError` ``approvals-held`` for 24 hours after the person's account was recovered."""
    if approvals_held(connection, person, now):
        raise NotAllowedError(
            "approvals-held",
            "账号刚找回，24 小时内不能批准",
            "the account was recovered within the last 24 hours; until they are over nothing can be approved",
        )


def passkeys_of(connection: Connection, shop: Workshop, person: str, now: datetime) -> list[PersonKey]:
    """The approval passkeys of a person that can be used now."""
    found = (each.record for each in shop.registry.find(connection, PersonKey, person=person))
    return [
        each
        for each in found
        if each.passkey is not None and each.valid_from <= now and (each.valid_until is None or now < each.valid_until)
    ]


def _gone() -> OrderError:
    return OrderError(
        "statement-handle-unknown",
        "这次签名已超时或已提交过，请重新打开再办理",
        "this signature has lapsed or was handed in before; open the matter and begin again",
    )


def _digest(handle: str) -> str:
    return sha256(handle.encode()).hexdigest()
