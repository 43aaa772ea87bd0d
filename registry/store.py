"""Records in and out of their tables, each read checked against the ledger entry that wrote the row.

The database is not trusted for integrity. A read recomputes the digest of the body it got, compares the
lookup columns with the body, and compares all of it with the newest ledger entry about the row; so a changed,
swapped, rolled back or deleted row refuses. A row that was deleted is missed by ``get``, which knows its id,
but not by ``find``: what must not be forgotten has an id that follows from what it is about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from ledger.book import Book
from ledger.canonical import JsonValue, canonical, digest
from ledger.database import is_writing
from ledger.entry import Draft
from ledger.errors import EntryNotFoundError
from ledger.tables import entries, subjects
from registry.errors import ConflictError, NotFoundError, RowTamperedError
from registry.kinds import KINDS, Kind
from registry.record import Record
from registry.tables import TABLES

R = TypeVar("R", bound=Record)
K = TypeVar("K")

_TAIL = 27  # "-" and 26 letters: what is left of an id without its prefix
_CACHED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person or a client, by id, name and organ code."""

    id: str
    name: str
    organ: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something, why, and when."""

    by: Actor
    why: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Generic[R]):
    """A record as it was read or written, with the ledger entry that vouches for it."""

    record: R
    version: int
    digest: str
    entry_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    get: Select[Any]
    lock: Select[Any]
    find: Select[Any]


def row_domain(kind: str) -> str:
    """The domain label of a row's digest."""
    return f"yinxin/row/v1/{kind}"


def row_subject(record_id: str) -> str:
    """The ledger subject that only the row's own entries carry; others may name the record's id too."""
    return "row" + record_id[-_TAIL:]


class Registry:
    """The store of all kinds of records. Every write is a ledger entry in the same transaction."""

    def __init__(self, book: Book) -> None:
        """``book`` appends the entries and says which ones are trusted."""
        self.book = book
        self._models: dict[tuple[str, str], tuple[Record, dict[str, str | None]]] = {}
        self._commitments: dict[tuple[int, bytes], JsonValue] = {}
        self._versions: dict[str, int] = {}

    def get(self, connection: Connection, kind: type[R], record_id: str) -> Stored[R]:
        """The record under ``record_id``. Raises :class:`NotFoundError`, :class:`RowTamperedError`."""
        row = connection.execute(_STATEMENTS[kind].get, {"id": record_id}).one_or_none()
        if row is not None:
            return self._checked(connection, kind, row)
        name = KINDS[kind].name
        if self.book.latest(connection, row_subject(record_id)) is not None:
            raise _tampered(kind, record_id, "行已不在", "the row is gone")
        raise NotFoundError("record-not-found", f"没有 {name} {record_id}", f"there is no {name} {record_id}")

    def look(self, connection: Connection, kind: type[R], record_id: str) -> Stored[R] | None:
        """As :meth:`get`, and None where there is no such record. Raises :class:`RowTamperedError`."""
        try:
            return self.get(connection, kind, record_id)
        except NotFoundError:
            return None

    def lock(self, connection: Connection, kind: type[R], record_id: str) -> Stored[R]:
        """As :meth:`get`, with the row locked until the transaction ends."""
        # Two statements: the first may have waited, and only a new one sees what was committed meanwhile.
        connection.execute(_STATEMENTS[kind].lock, {"id": record_id})
        return self.get(connection, kind, record_id)

    def find(self, connection: Connection, kind: type[R], **lookup: object) -> list[Stored[R]]:
        """All records whose lookups have these values, by id. Raises :class:`RowTamperedError`."""
        table, statement = TABLES[kind], _STATEMENTS[kind].find
        for name, value in lookup.items():
            statement = statement.where(table.c[name] == str(value))
        return [self._checked(connection, kind, row) for row in connection.execute(statement).all()]

    def find_one(self, connection: Connection, kind: type[R], **lookup: object) -> Stored[R]:
        """The one record with these lookups. Raises :class:`NotFoundError`, :class:`ConflictError`."""
        found, name = self.find(connection, kind, **lookup), KINDS[kind].name
        wanted = ", ".join(f"{field} {value}" for field, value in lookup.items())
        if not found:
            raise NotFoundError(
                "record-not-found", f"没有 {name}（{wanted}）", f"there is no {name} with {wanted}"
            )
        if len(found) > 1:
            raise ConflictError(
                "record-not-unique",
                f"{name}（{wanted}）有 {len(found)} 条，应为一条",
                f"found {len(found)} of {name} with {wanted}, expected one",
            )
        return found[0]

    def look_one(self, connection: Connection, kind: type[R], **lookup: object) -> Stored[R] | None:
        """As :meth:`find_one`, and None where there is none."""
        try:
            return self.find_one(connection, kind, **lookup)
        except NotFoundError:
            return None

    def put(
        self,
        connection: Connection,
        record: R,
        *,
        by: Actor,
        why: str,
        now: datetime,
        replaces: Stored[R] | None = None,
        verb: str | None = None,
    ) -> Stored[R]:
        """Write ``record`` and its ledger entry ``<kind>.<verb>``; the caller commits.

        A new record has no ``replaces``; a change names the one that was read, and fails when it is not the
        present one any more. ``verb`` is ``registered`` or ``changed`` unless given. Raises
        :class:`ConflictError`, :class:`RowTamperedError`.
        """
        kind = KINDS[type(record)]
        record_id, body = record.id, record.model_dump(mode="json", by_alias=True)
        version = self._next_version(connection, type(record), record_id, replaces)
        row_digest = digest(row_domain(kind.name), body)
        draft = Draft(
            kind=f"{kind.name}.{verb or ('changed' if replaces else 'registered')}",
            subjects=(record_id, row_subject(record_id)),
            groups={
                "row": _commitment(kind, record_id, version, row_digest),
                "body": body,
                "act": {"by": {"id": by.id, "name": by.name, "organ": by.organ}, "why": why},
            },
        )
        index = self.book.append(connection, draft, now).index
        values = {
            "id": record_id,
            "version": version,
            "body": canonical(body).decode(),
            "digest": row_digest,
            "entry_index": index,
            **kind.columns(record),
        }
        _write(connection, kind, values)
        return Stored(record=record, version=version, digest=row_digest, entry_index=index)

    def _next_version(
        self, connection: Connection, kind: type[R], record_id: str, replaces: Stored[R] | None
    ) -> int:
        if replaces is None:
            if self.book.latest(connection, row_subject(record_id)) is not None:
                raise _conflict(kind, record_id, "已登记", "is registered already")
            return 1
        present = self.lock(connection, kind, record_id)
        if (present.version, present.digest) != (replaces.version, replaces.digest):
            raise _conflict(
                kind,
                record_id,
                f"已是第 {present.version} 版，所改为第 {replaces.version} 版",
                f"is at version {present.version}, the change is to version {replaces.version}",
            )
        return present.version + 1

    def _checked(self, connection: Connection, kind: type[R], row: Row[Any]) -> Stored[R]:
        spec, members = KINDS[kind], row._mapping  # noqa: SLF001  SQLAlchemy's documented name
        found = sha256(_digest_head(spec.name) + members["body"].encode() + b"}").hexdigest()
        if members["digest"] != "sha256:" + found:
            raise _tampered(kind, row.id, "内容与摘要不符", "the body does not fit its digest")
        if members["latest"] != members["entry_index"]:
            raise _tampered(
                kind, row.id, "不是台账所记的最新一版", "the row is not the newest that the ledger knows"
            )
        commitment = _commitment(spec, row.id, row.version, row.digest)
        if self._committed(connection, kind, row) != commitment:
            raise _tampered(kind, row.id, "与台账条目不符", "the row does not fit its ledger entry")
        record, columns = self._model(kind, spec, row.digest, members["body"])
        if any(members[name] != value for name, value in columns.items()) or record.id != row.id:
            raise _tampered(kind, row.id, "检索列与内容不符", "the lookup columns do not fit the body")
        self._not_older(connection, kind, row)
        return Stored(record=record, version=row.version, digest=row.digest, entry_index=row.entry_index)

    def _committed(self, connection: Connection, kind: type[R], row: Row[Any]) -> JsonValue:
        """What the entry committed to; an entry is asked for once, and known again by its leaf hash."""
        key = (row.entry_index, row.leaf_hash)
        if key not in self._commitments:
            try:
                entry = self.book.trusted(connection, row.entry_index)
                found = entry.value("row")
            except EntryNotFoundError as error:
                raise _tampered(kind, row.id, "台账没有该条目", "the ledger lacks its entry") from error
            _remember(self._commitments, (entry.index, entry.leaf_hash), found)
            return found
        return self._commitments[key]

    def _not_older(self, connection: Connection, kind: type[R], row: Row[Any]) -> None:
        """Refuse a row older than one this process saw: its newer entries were taken from the subjects."""
        if row.version < self._versions.get(row.id, 0):
            raise _tampered(
                kind, row.id, "比本进程见过的版本旧", "the row is older than one this process has seen"
            )
        if not is_writing(connection):  # what a transaction in progress wrote may yet be taken back
            self._versions[row.id] = row.version

    def _model(
        self, kind: type[R], spec: Kind, row_digest: str, body: str
    ) -> tuple[Any, dict[str, str | None]]:
        cached = self._models.get((spec.name, row_digest))
        if cached is None:
            record = kind.model_validate_json(body)
            cached = (record, spec.columns(record))
            _remember(self._models, (spec.name, row_digest), cached)
        return cached


def _remember(known: dict[K, Any], key: K, value: object) -> None:
    while len(known) >= _CACHED:
        known.pop(next(iter(known)), None)
    known[key] = value


def _digest_head(kind: str) -> bytes:
    # What canonical() writes before the body; the body itself is canonical, or the digest differs.
    return b'{"d":"' + row_domain(kind).encode() + b'","v":'


def _commitment(kind: Kind, record_id: str, version: int, row_digest: str) -> dict[str, Any]:
    return {"kind": kind.name, "id": record_id, "version": version, "digest": row_digest}


def _write(connection: Connection, kind: Kind, values: dict[str, Any]) -> None:
    table = TABLES[kind.model]
    try:
        if values["version"] == 1:
            connection.execute(insert(table), values)
        else:
            connection.execute(update(table).where(table.c.id == values["id"]), values)
    except IntegrityError as error:
        columns = ", ".join(f"{name} {values[name]}" for group in kind.unique for name in group)
        raise ConflictError(
            "record-not-unique",
            f"已有 {kind.name} 占用：{columns or values['id']}",
            f"another {kind.name} holds {columns or values['id']}",
        ) from error


def _tampered(kind: type[Record], record_id: str, zh: str, en: str) -> RowTamperedError:
    table = TABLES[kind].name
    return RowTamperedError(
        "row-tampered", f"表 {table} 行 {record_id}：{zh}", f"table {table}, row {record_id}: {en}"
    )


def _conflict(kind: type[Record], record_id: str, zh: str, en: str) -> ConflictError:
    name = KINDS[kind].name
    return ConflictError("record-changed", f"{name} {record_id} {zh}", f"{name} {record_id} {en}")


def _statements() -> Iterator[tuple[type[Record], _Statements]]:
    for kind, table in TABLES.items():
        subject = literal("row") + func.substr(table.c.id, func.length(table.c.id) - (_TAIL - 1))
        newest = select(func.max(subjects.c.index)).where(subjects.c.subject == subject).scalar_subquery()
        leaf = select(entries.c.leaf_hash).where(entries.c.index == table.c.entry_index).scalar_subquery()
        row = select(table, newest.label("latest"), leaf.label("leaf_hash"))
        one = table.c.id == bindparam("id")
        yield (
            kind,
            _Statements(
                get=row.where(one),
                lock=select(table.c.id).where(one).with_for_update(),
                find=row.order_by(table.c.id),
            ),
        )


_STATEMENTS: dict[type[Record], _Statements] = dict(_statements())
