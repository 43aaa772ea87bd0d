"""Which file of an impression is the newest: the one sealed, or the one that its last renewal recorded.

A renewed file begins with all bytes of the one before it. The record is the index: there is no table of renewals that
somebody could change.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ledger.book import Book, StoredEntry
from ledger.entry import Draft
from ledger.errors import RecordBrokenError
from ledger.moments import from_text, to_text
from registry.record import derived_id
from sealing.impressions import Impression

RENEWED = "seal.renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """One file of an impression. ``expires`` is when the certificate of its newest time-stamp lapses, if it has one."""

    digest: str
    length: int
    expires: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """One renewal as recorded."""

    impression: str
    before: str
    after: KeptFile


def renewal_subject(impression: str) -> str:
    """The ledger subject that every renewal of an impression, and nothing else, names."""
    return derived_id("rnw", impression)


def renewal_draft(renewal: Renewal, timestamp: dict[str, Any]) -> Draft:
    """The entry of a renewal; ``timestamp`` are the facts of its archive time-stamp."""
    after = renewal.after
    return Draft(
        kind=RENEWED,
        subjects=(renewal.impression, renewal_subject(renewal.impression)),
        groups={
            "renewal": {
                "impression": renewal.impression,
                "before": renewal.before,
                "after": after.digest,
                "length": after.length,
                "expires": None if after.expires is None else to_text(after.expires),
                "timestamp": timestamp,
            }
        },
    )


def read_renewal(entry: StoredEntry) -> Renewal:
    """What an entry ``seal.renewed`` tells. Raises :class:`RecordBrokenError`."""
    value = entry.value("renewal")
    if entry.kind != RENEWED or not isinstance(value, dict):
        raise RecordBrokenError(f"账本第 {entry.index} 条不是续期记录", f"entry {entry.index} is not one of a renewal")
    length, expires = value["length"], value["expires"]
    after = KeptFile(
        digest=str(value["after"]),
        length=length if isinstance(length, int) else 0,
        expires=None if expires is None else from_text(str(expires)),
    )
    return Renewal(impression=str(value["impression"]), before=str(value["before"]), after=after)


def sealed_file(entry: StoredEntry) -> KeptFile:
    """The file that the entry of an impression tells of."""
    document = entry.value("document")
    facts: dict[str, Any] = document if isinstance(document, dict) else {}
    newest = facts.get("archive_timestamp") or facts.get("timestamp")
    return KeptFile(
        digest=str(facts["sealed_digest"]),
        length=int(facts["sealed_length"]),
        expires=None if newest is None else from_text(newest["expires"]),
    )


def newest_file(connection: Connection, book: Book, row: Impression) -> KeptFile:
    """The file that a download gives now. Raises ``ledger`` errors when an entry does not fit the record."""
    newest = book.newest(connection, renewal_subject(row.id))
    if newest is None:
        return sealed_file(book.trusted(connection, row.entry))
    return read_renewal(book.trusted(connection, newest)).after
