"""Records in and out of their tables, each read checked against the ledger entry that wrote the row.

The database is not trusted for integrity. A read recomputes the digest of the body it got, compares the
lookup columns with the body, and compares all of it with the newest ledger entry about the row; so a changed,
swapped, rolled back or deleted row refuses. A row that was deleted is missed by ``get``, which knows its id,
but not by ``find``: what must not be forgotten has an id that follows from what it is about.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from ledger.book import Book
from ledger.canonical import canonical, digest
from ledger.entry import Draft
from ledger.ids import is_id
from ledger.tables import entries, subjects
from registry.errors import ConflictError, NotFoundError, RecordInvalidError
from registry.kinds import KINDS, Kind
from registry.record import Record
from registry.row_guard import (
    ID_TAIL,
    R,
    RowGuard,
    Stored,
    commitment,
    parse,
    row_domain,
    row_subject,
    tampered,
)
from registry.tables import TABLES

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no column holds NUL or a lone surrogate

__all__ = ["Act", "Actor", "Registry", "Stored", "row_domain", "row_subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person or a client, by id, name and organ code."""

    id: str
    name: str
    organ: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something, why, and when; ``proposal`` is the approved proposal that it carries out, by id."""

    by: Actor
    why: str
    now: datetime
    proposal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    get: Select[Any]
    lock: Select[Any]
    find: Select[Any]


class Registry:
    """The store of all kinds of records. Every write is a ledger entry in the same transaction."""

    def __init__(self, book: Book) -> None:
        """``book`` appends the entries and says which ones are trusted."""
        self.book = book
        self._guard = RowGuard(book)

    def get(self, connection: Connection, kind: type[R], record_id: str) -> Stored[R]:
        """The record under ``record_id``. Raises :class:`NotFoundError`, :class:`RowTamperedError`."""
        name = KINDS[kind].name
        if not is_id(record_id):  # a caller's text that no database need be asked about
            raise NotFoundError("record-not-found", f"没有该 {name}", f"there is no such {name}")
        row = connection.execute(_STATEMENTS[kind].get, {"id": record_id}).one_or_none()
        if row is not None:
            return self._guard.check(connection, kind, row)
        newest = self.book.latest(connection, row_subject(record_id))
        if newest is not None and newest.kind.startswith(f"{name}."):  # else the id is of another kind
            raise tampered(kind, record_id, "行已不在", "the row is gone")
        raise NotFoundError("record-not-found", f"没有 {name} {record_id}", f"there is no {name} {record_id}")

    def look(self, connection: Connection, kind: type[R], record_id: str) -> Stored[R] | None:
        """As :meth:`get`, and None where there is no such record. Raises :class:`RowTamperedError`."""
        try:
            return self.get(connection, kind, record_id)
        except NotFoundError:
            return None

    def hold(self, connection: Connection, kind: type[Record], record_id: str) -> None:
        """Lock the row until the transaction ends, without reading it; on SQLite a writer holds everything already."""
        if is_id(record_id) and connection.dialect.name != "sqlite":
            connection.execute(_STATEMENTS[kind].lock, {"id": record_id})

    def lock(self, connection: Connection, kind: type[R], record_id: str) -> Stored[R]:
        """As :meth:`get`, with the row locked until the transaction ends."""
        # Two statements: the first may have waited, and only a new one sees what was committed meanwhile.
        self.hold(connection, kind, record_id)
        return self.get(connection, kind, record_id)

    def find(self, connection: Connection, kind: type[R], **lookup: object) -> list[Stored[R]]:
        """All records whose lookups have these values, by id. Raises :class:`RowTamperedError`."""
        values = {name: str(value) for name, value in lookup.items()}
        if any(_UNSTORABLE.search(value) for value in values.values()):  # PostgreSQL would refuse the query
            return []
        rows = connection.execute(_find(kind, tuple(values)), values).all()
        return [self._guard.check(connection, kind, row) for row in rows]

    def find_one(self, connection: Connection, kind: type[R], **lookup: object) -> Stored[R]:
        """The one record with these lookups. Raises :class:`NotFoundError`, :class:`ConflictError`."""
        found, name = self.find(connection, kind, **lookup), KINDS[kind].name
        wanted = ", ".join(f"{field} {value}" for field, value in lookup.items())
        if not found:
            raise NotFoundError("record-not-found", f"没有 {name}（{wanted}）", f"there is no {name} with {wanted}")
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
        proposal: str | None = None,
    ) -> Stored[R]:
        """Write ``record`` and its ledger entry ``<kind>.<verb>``; the caller commits.

        A new record has no ``replaces``; a change names the one that was read, and fails when it is not the
        present one any more. ``verb`` is ``registered`` or ``changed`` unless given. ``proposal`` is the id of the
        approved proposal that the change carries out: a subject of the entry, so that no erasure takes it away.
        Raises :class:`ConflictError`, :class:`RowTamperedError`.
        """
        kind = KINDS[type(record)]
        record_id, body = record.id, record.model_dump(mode="json", warnings=False)
        text = canonical(body).decode()
        if parse(type(record), text) != record:  # a copy with unchecked values would be written and never read
            raise RecordInvalidError(
                "record-invalid",
                f"{kind.name} 写出后不能原样读回",
                f"this {kind.name} does not read back as itself",
            )
        version = self._next_version(connection, type(record), record_id, replaces)
        row_digest = digest(row_domain(kind.name), body)
        draft = Draft(
            kind=f"{kind.name}.{verb or ('changed' if replaces else 'registered')}",
            subjects=(record_id, row_subject(record_id), *([proposal] if proposal else [])),
            groups={
                "row": commitment(kind, record_id, version, row_digest),
                "body": body,
                "act": {
                    "by": {"id": by.id, "name": by.name, "organ": by.organ},
                    "why": why,
                    **({"proposal": proposal} if proposal else {}),
                },
            },
        )
        index = self.book.append(connection, draft, now).index
        values = {
            "id": record_id,
            "version": version,
            "body": text,
            "digest": row_digest,
            "entry_index": index,
            **kind.columns(record),
        }
        _write(connection, kind, values)
        return Stored(record=record, version=version, digest=row_digest, entry_index=index)

    def _next_version(self, connection: Connection, kind: type[R], record_id: str, replaces: Stored[R] | None) -> int:
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


def _conflict(kind: type[Record], record_id: str, zh: str, en: str) -> ConflictError:
    name = KINDS[kind].name
    return ConflictError("record-changed", f"{name} {record_id} {zh}", f"{name} {record_id} {en}")


def _statements() -> Iterator[tuple[type[Record], _Statements]]:
    for kind, table in TABLES.items():
        subject = literal("row") + func.substr(table.c.id, func.length(table.c.id) - (ID_TAIL - 1))
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


@cache
def _find(kind: type[Record], lookups: tuple[str, ...]) -> Select[Any]:
    columns = TABLES[kind].c
    return _STATEMENTS[kind].find.where(*(columns[name] == bindparam(name) for name in lookups))


_STATEMENTS: dict[type[Record], _Statements] = dict(_statements())
