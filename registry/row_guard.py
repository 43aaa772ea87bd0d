"""Whether a row is what its newest ledger entry committed to.

Two things are kept in this process, none of which has to be believed: parsed records by their digest, and
commitments of proven entries by their leaf hash. The book knows which entry about a row is the newest.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Row

from ledger.book import Book
from ledger.canonical import JsonValue
from ledger.errors import EntryNotFoundError
from registry.errors import RecordInvalidError, RowTamperedError
from registry.kinds import KINDS, Kind
from registry.record import Record
from registry.tables import TABLES

R = TypeVar("R", bound=Record)
K = TypeVar("K")

ID_TAIL = 27  # "-" and 26 letters: what is left of an id without its prefix
_CACHED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Generic[R]):
    """A record as it was read or written, with the ledger entry that vouches for it."""

    record: R
    version: int
    digest: str
    entry_index: int


def row_domain(kind: str) -> str:
    """The domain label of a row's digest."""
    return f"yinxin/row/v1/{kind}"


def row_subject(record_id: str) -> str:
    """The ledger subject that only the row's own entries carry; others may name the record's id too."""
    return "row" + record_id[-ID_TAIL:]


class RowGuard:
    """Checks rows. Shared by threads; one in each process."""

    def __init__(self, book: Book) -> None:
        """``book`` says which entries are trusted."""
        self._book = book
        self._models: dict[tuple[str, str], tuple[Record, dict[str, str | None]]] = {}
        self._commitments: dict[tuple[int, bytes], JsonValue] = {}

    def check(self, connection: Connection, kind: type[R], row: Row[Any]) -> Stored[R]:
        """The record of ``row``, which also holds ``latest`` and ``leaf_hash`` from the ledger's tables.

        Raises :class:`RowTamperedError`, :class:`RecordInvalidError` ``record-unreadable``.
        """
        spec, members = KINDS[kind], row._mapping  # noqa: SLF001  SQLAlchemy's documented name
        found = sha256(_digest_head(spec.name) + members["body"].encode() + b"}").hexdigest()
        if members["digest"] != "sha256:" + found:
            raise tampered(kind, row.id, "内容与摘要不符", "the body does not fit its digest")
        if members["latest"] != members["entry_index"]:
            raise tampered(kind, row.id, "不是台账所记的最新一版", "the row is not the newest that the ledger knows")
        if self._committed(connection, kind, row) != commitment(spec, row.id, row.version, row.digest):
            raise tampered(kind, row.id, "与台账条目不符", "the row does not fit its ledger entry")
        if self._book.newer(connection, row_subject(row.id), row.entry_index) is not None:
            raise tampered(kind, row.id, "不是台账所记的最新一版", "the row is not the newest that the ledger knows")
        record, columns = self._model(kind, spec, row.digest, members["body"])
        if any(members[name] != value for name, value in columns.items()) or record.id != row.id:
            raise tampered(kind, row.id, "检索列与内容不符", "the lookup columns do not fit the body")
        return Stored(record=record, version=row.version, digest=row.digest, entry_index=row.entry_index)

    def _committed(self, connection: Connection, kind: type[R], row: Row[Any]) -> JsonValue:
        """What the entry committed to; an entry is asked for once, and known again by its leaf hash."""
        key = (row.entry_index, row.leaf_hash)
        if key not in self._commitments:
            try:
                entry = self._book.trusted(connection, row.entry_index)
                found = entry.value("row")
            except EntryNotFoundError as error:
                raise tampered(kind, row.id, "台账没有该条目", "the ledger lacks its entry") from error
            _remember(self._commitments, (entry.index, entry.leaf_hash), found)
            return found
        return self._commitments[key]

    def _model(self, kind: type[R], spec: Kind, row_digest: str, body: str) -> tuple[Any, dict[str, str | None]]:
        cached = self._models.get((spec.name, row_digest))
        if cached is None:
            record = parse(kind, body)
            cached = (record, spec.columns(record))
            _remember(self._models, (spec.name, row_digest), cached)
        return cached


def parse(kind: type[R], body: str) -> R:
    """Read a body. Raises :class:`RecordInvalidError` ``record-unreadable``."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:  # vouched for by the ledger, so not tampered with: written by other code
        name = KINDS[kind].name
        raise RecordInvalidError(
            "record-unreadable",
            f"{name} 的内容不是本版本软件所认的格式",
            f"the body of this {name} is not in the form that this version of the software reads",
        ) from error


def _remember(known: dict[K, Any], key: K, value: object) -> None:
    while len(known) >= _CACHED:
        known.pop(next(iter(known)), None)
    known[key] = value


def _digest_head(kind: str) -> bytes:
    # What canonical() writes before the body; the body itself is canonical, or the digest differs.
    return b'{"d":"' + row_domain(kind).encode() + b'","v":'


def commitment(kind: Kind, record_id: str, version: int, row_digest: str) -> dict[str, Any]:
    """What the group ``row`` of the entry holds."""
    return {"kind": kind.name, "id": record_id, "version": version, "digest": row_digest}


def tampered(kind: type[Record], record_id: str, zh: str, en: str) -> RowTamperedError:
    """The error that names the row."""
    table = TABLES[kind].name
    return RowTamperedError("row-tampered", f"表 {table} 行 {record_id}：{zh}", f"table {table}, row {record_id}: {en}")
