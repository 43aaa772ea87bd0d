"""Give an attempt up. Normal failure and recovery after a crash come through here, and only here."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ledger.book import Book
from registry import numbers
from registry.errors import RowTamperedError
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
    application stays open, and only it may use its approval again. What is recorded follows from the entry of the
    intent, never from the row. Raises :class:`RowTamperedError` when there is no such entry or another one followed.
    """
    if not applications.move(connection, attempt.id, to="abandoned"):
        return False
    intended = _intended(connection, book, attempt)
    entry = book.append(connection, abandonment_draft(intended, reason=reason, key_used=key_used), now)
    applications.note_outcome(connection, attempt.id, entry.index)
    numbers.free(connection, intended.application)
    return True


def _intended(connection: Connection, book: Book, attempt: Attempt) -> Attempt:
    """The attempt as its intent was recorded."""
    entry = book.trusted(connection, attempt.intent_entry)
    if entry.kind != "seal.intended" or attempt.id not in entry.leaf.subjects:
        raise _tampered(attempt, f"第 {entry.index} 条不是其意向", f"entry {entry.index} is not its intent")
    later = book.named_after(connection, entry.index, attempt.id)
    if later is not None:
        raise _tampered(attempt, f"第 {later} 条已记其结果", f"entry {later} ended it")
    application, document = entry.value("application"), entry.value("document")
    if not isinstance(application, dict) or not isinstance(document, dict):
        raise _tampered(attempt, f"第 {entry.index} 条格式不符", f"entry {entry.index} has another form")
    return replace(attempt, application=str(application["application"]), to_be_signed=str(document["to_be_signed"]))


def _tampered(attempt: Attempt, zh: str, en: str) -> RowTamperedError:
    return RowTamperedError(
        "row-tampered", f"表 attempts 行 {attempt.id}：{zh}", f"table attempts, row {attempt.id}: {en}"
    )
