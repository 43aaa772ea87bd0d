"""Ids of client assertions that were used: each counts once (RFC 7523 3, item 7), on every replica."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert
from sqlalchemy.exc import IntegrityError

from ledger.moments import to_text
from sealing.tables import used_token_ids

_insert = insert(used_token_ids)
_forget = delete(used_token_ids).where(used_token_ids.c.expires < bindparam("now"))


def use_once(connection: Connection, *, issuer: str, jti: str, expires: datetime, now: datetime) -> bool:
    """Whether this is the first use of ``jti`` by ``issuer``; lapsed ids are forgotten on the way."""
    connection.execute(_forget, {"now": to_text(now)})
    try:
        with connection.begin_nested():
            connection.execute(_insert, {"issuer": issuer, "jti": jti, "expires": to_text(expires)})
    except IntegrityError:
        return False
    return True
