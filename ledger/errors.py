"""What can go wrong in the record, grouped by who can act.

Every message names found and expected in both languages.
"""

from typing import ClassVar


class LedgerError(Exception):
    """Root of the package's errors: ``code`` for programs, ``zh`` and ``en`` for people."""

    code: ClassVar[str] = "ledger"

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


class NotCanonicalError(LedgerError):
    """The value or the bytes are outside the restricted canonical JSON. The caller must correct them."""

    code = "not-canonical"


class DraftError(LedgerError):
    """The entry cannot be written as asked: kind, subject, group or size.

    The calling code must be corrected.
    """

    code = "draft-refused"


class CheckpointError(LedgerError):
    """A checkpoint note is malformed or not signed by the log it is claimed for."""

    code = "checkpoint-invalid"


class ProofError(LedgerError):
    """A Merkle proof, an opening or an entry does not fit the tree head it is claimed for."""

    code = "proof-invalid"


class EntryNotFoundError(LedgerError):
    """The log has no entry, group or tile under this address."""

    code = "entry-not-found"


class ClockBehindError(LedgerError):
    """``now`` is earlier than the last entry. An operator must set the clock right; nothing was written."""

    code = "clock-behind"


class RecordBrokenError(LedgerError):
    """Stored rows contradict the record. An operator must stop and run the audit; nothing was written."""

    code = "record-broken"


class HeadTamperedError(RecordBrokenError):
    """The stored tree head is not the one this service signed or extended."""

    code = "head-tampered"


class HeadRolledBackError(RecordBrokenError):
    """The stored tree head is older than one this service has signed: the database was rolled back."""

    code = "head-rolled-back"


class WitnessedBeyondError(HeadRolledBackError):
    """A witness, or the last cosigned checkpoint, knows of more entries than the database has."""

    code = "witnessed-beyond"


class ForkedError(HeadTamperedError):
    """The stored tree is not the one that a witness has cosigned: the log has forked."""

    code = "log-forked"


class DatabaseError(LedgerError):
    """The database could not do its work; the request is not at fault."""

    code = "database"


class DatabaseBusyError(DatabaseError):
    """Somebody else holds the lock for longer than the busy timeout.

    The caller may retry; nothing was written.
    """

    code = "database-busy"


class DatabaseFullError(DatabaseError):
    """No space left where the database writes. An operator must make room; nothing was written."""

    code = "database-full"


class DatabaseUnavailableError(DatabaseError):
    """The database cannot be reached or opened. Whether a commit in flight was stored is not known."""

    code = "database-unavailable"
