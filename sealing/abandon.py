"""Give an attempt up. Normal failure and recovery after a crash come through here, and only here."""

from datetime import datetime

from sqlalchemy import Connection

from ledger.book import Book
from registry import numbers
from sealing import applications
from sealing.applications import Attempt
from sealing.entries import abandonment_draft

LAPSED = "lease-lapsed"
"""Why an attempt is given up that nobody works on any more."""


def abandon(
    connection: Connection, book: Book, attempt: Attempt, *, reason: str, key_used: bool, now: datetime
) -> bool:
    """Close an intended attempt, record it, and free its numbers. False when somebody else ended it first.

    ``key_used`` says whether a signature may exist; the entry names its message, so that it never counts. The
    application stays open, and only it may use its approval again.
    """
    if not applications.move(connection, attempt.id, to="abandoned"):
        return False
    entry = book.append(connection, abandonment_draft(attempt, reason=reason, key_used=key_used), now)
    applications.note_outcome(connection, attempt.id, entry.index)
    numbers.free(connection, attempt.application)
    return True
