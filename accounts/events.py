"""What of an account is in the ledger: that it was opened, recovered, closed, and each change of its ways in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from ledger.book import Book
from ledger.entry import Draft

KINDS: Final = frozenset(
    {
        "account.invited",
        "account.opened",
        "account.recovered",
        "account.closed",
        "account.password_changed",
        "account.totp_added",
        "account.totp_removed",
        "account.passkey_added",
        "account.passkey_removed",
    }
)
"""None of them goes with a change of a registry row."""


def enter(connection: Connection, book: Book, kind: str, *, told: Mapping[str, str], now: datetime) -> None:
    """Append one of :data:`KINDS` about the person ``told["person"]`` to the record, in the caller's transaction.

    ``told`` holds no secret, no address and no name. Raises as :meth:`ledger.book.Book.append`.
    """
    subjects = tuple(dict.fromkeys(told[each] for each in ("person", "by") if each in told))
    book.append(connection, Draft(kind=kind, subjects=subjects, groups={"account": dict(told)}), now)
