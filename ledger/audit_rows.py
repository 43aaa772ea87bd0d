"""The statements of the audit: spans of rows, and rows where none should be."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, select

from ledger import tables as t
from ledger.merkle import Node
from ledger.store import CHUNK, CheckpointRow

NAMES_AT_ONCE = 5000  # values in one IN list; SQLite takes 32,766, PostgreSQL 65,535

EntryRow: TypeAlias = Row[int, str, str, bytes, bytes]
OpeningRow: TypeAlias = Row[int, str, bytes | None, bytes | None, int | None]

_START: BindParameter[int] = bindparam("start")
_END: BindParameter[int] = bindparam("end")
_LEVEL: BindParameter[int] = bindparam("level")
_ENTRIES = select(t.entries).where(t.entries.c.index >= _START, t.entries.c.index < _END)
_OPENINGS = (
    select(t.openings)
    .where(t.openings.c.index >= _START, t.openings.c.index < _END)
    .order_by(t.openings.c.index, t.openings.c.group)
)
_NODES = select(t.nodes.c.index, t.nodes.c.hash).where(
    t.nodes.c.level == _LEVEL, t.nodes.c.index >= _START, t.nodes.c.index < _END
)
_SUBJECTS = select(t.subjects.c.subject, t.subjects.c.index).where(
    t.subjects.c.subject.in_(bindparam("names", expanding=True)),
    t.subjects.c.index >= _START,
    t.subjects.c.index < _END,
)
_CHECKPOINTS = (
    select(t.checkpoints)
    .where(t.checkpoints.c.size >= _START, t.checkpoints.c.size < _END)
    .order_by(t.checkpoints.c.size)
)
_ENTRY_COUNT = select(func.coalesce(func.max(t.entries.c.index) + 1, 0))
_SUBJECT_COUNT = select(func.count()).select_from(t.subjects)
_EVERY_SUBJECT = select(t.subjects.c.subject, t.subjects.c.index, t.entries.c.leaf).outerjoin(
    t.entries, t.entries.c.index == t.subjects.c.index
)
_ODD_ENTRY = select(func.min(t.entries.c.index)).where((t.entries.c.index < 0) | (t.entries.c.index >= _END))
_ODD_OPENING = select(func.min(t.openings.c.index)).where((t.openings.c.index < 0) | (t.openings.c.index >= _END))
_ODD_LEVEL = select(func.min(t.nodes.c.level)).where((t.nodes.c.level < 1) | (t.nodes.c.level >= _LEVEL))
_ODD_NODE = select(func.min(t.nodes.c.index)).where(
    t.nodes.c.level == _LEVEL, (t.nodes.c.index < 0) | (t.nodes.c.index >= _END)
)


def entry_count(connection: Connection) -> int:
    """One more than the highest entry number."""
    count: int = connection.execute(_ENTRY_COUNT).scalar_one()
    return count


def entries(connection: Connection, start: int, end: int) -> Mapping[int, EntryRow]:
    """The entry rows of a span, by number."""
    return {row[0]: row for row in connection.execute(_ENTRIES, {"start": start, "end": end})}


def openings(connection: Connection, start: int, end: int) -> Mapping[int, Sequence[OpeningRow]]:
    """The opening rows of a span of entries, by entry number."""
    found: dict[int, list[OpeningRow]] = defaultdict(list)
    for row in connection.execute(_OPENINGS, {"start": start, "end": end}):
        found[row[0]].append(row)
    return found


def nodes(connection: Connection, start: int, end: int) -> Mapping[Node, bytes]:
    """The stored nodes of level 1 and above that the entries of a span complete."""
    found: dict[Node, bytes] = {}
    for level in range(1, end.bit_length()):
        span = {"level": level, "start": start >> level, "end": end >> level}
        if span["start"] < span["end"]:
            found.update({Node(level, index): value for index, value in connection.execute(_NODES, span)})
    return found


def subjects(connection: Connection, start: int, end: int, names: Sequence[str]) -> set[tuple[str, int]]:
    """The subject rows of a span of entries, for the names given."""
    found: set[tuple[str, int]] = set()
    for first in range(0, len(names), NAMES_AT_ONCE):
        span = {"names": names[first : first + NAMES_AT_ONCE], "start": start, "end": end}
        found.update((subject, index) for subject, index in connection.execute(_SUBJECTS, span))
    return found


def subject_count(connection: Connection) -> int:
    """How many subject rows there are in all."""
    count: int = connection.execute(_SUBJECT_COUNT).scalar_one()
    return count


@contextmanager
def every_subject(connection: Connection) -> Iterator[Iterable[Row[str, int, bytes | None]]]:
    """Each subject row with the leaf it points to, streamed."""
    with connection.execute(_EVERY_SUBJECT, execution_options={"yield_per": CHUNK}) as result:
        yield result


def checkpoints(connection: Connection, start: int, end: int) -> Sequence[CheckpointRow]:
    """The stored checkpoints of trees from ``start`` up to, not including, ``end`` entries."""
    return connection.execute(_CHECKPOINTS, {"start": start, "end": end}).all()


def beyond(connection: Connection, size: int) -> Iterator[str]:
    """The first row of each table that no tree of ``size`` entries has."""
    for table, statement in (("ledger_entries", _ODD_ENTRY), ("ledger_openings", _ODD_OPENING)):
        index = connection.execute(statement, {"end": size}).scalar_one()
        if index is not None:
            yield f"{table} index {index}"
    level = connection.execute(_ODD_LEVEL, {"level": max(size.bit_length(), 1)}).scalar_one()
    if level is not None:
        yield f"ledger_nodes level {level}"
    for level in range(1, size.bit_length()):
        index = connection.execute(_ODD_NODE, {"level": level, "end": size >> level}).scalar_one()
        if index is not None:
            yield f"ledger_nodes level {level} index {index}"
            return
