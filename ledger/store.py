"""The statements of the record: rows in, rows out, no judgement beyond their form."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger import tables as t
from ledger.canonical import canonical
from ledger.checkpoint import Checkpoint
from ledger.entry import Opening
from ledger.errors import HeadTamperedError, RecordBrokenError
from ledger.merkle import CompactRange, Node, NodeReader

CHUNK = 1000  # rows read at a time where the whole record is walked

_READ_HEAD = select(t.head.c.size, t.head.c.range, t.head.c.time).where(t.head.c.id == 1)
_LOCK_HEAD = _READ_HEAD.with_for_update()  # SQLite leaves it out: BEGIN IMMEDIATE has locked already
_WRITE_HEAD = (
    update(t.head)
    .where(t.head.c.id == 1)
    .values(size=bindparam("new_size"), range=bindparam("new_range"), time=bindparam("new_time"))
)
_NEWEST_CHECKPOINT = select(t.checkpoints).order_by(t.checkpoints.c.size.desc()).limit(1)
_COVERING_CHECKPOINT = (
    select(t.checkpoints).where(t.checkpoints.c.size >= bindparam("at_least")).order_by(t.checkpoints.c.size).limit(1)
)
_ADD_ENTRY = insert(t.entries)
_ADD_SUBJECT = insert(t.subjects)
_ADD_OPENING = insert(t.openings)
_ADD_NODE = insert(t.nodes)
_ADD_CHECKPOINT = {
    "sqlite": sqlite_insert(t.checkpoints).on_conflict_do_nothing(),
    "postgresql": postgresql_insert(t.checkpoints).on_conflict_do_nothing(),
}
_ENTRY = select(t.entries).where(t.entries.c.index == bindparam("index"))
_OPENINGS = select(t.openings).where(t.openings.c.index == bindparam("index")).order_by(t.openings.c.group)
_ERASE = (
    update(t.openings)
    .where(t.openings.c.index == bindparam("at"), t.openings.c.group.in_(bindparam("groups", expanding=True)))
    .values(salt=None, value=None, erased_by=bindparam("by"))
)
_NEWEST = select(func.max(t.subjects.c.index)).where(t.subjects.c.subject == bindparam("subject"))
_LEAVES = (
    select(t.entries.c.index, t.entries.c.leaf)
    .where(t.entries.c.index >= bindparam("start"), t.entries.c.index < bindparam("end"))
    .order_by(t.entries.c.index)
)
_HASH_SPAN = (
    select(t.entries.c.leaf_hash)
    .where(t.entries.c.index >= bindparam("start"), t.entries.c.index < bindparam("end"))
    .order_by(t.entries.c.index)
)
_LEAF_HASHES = select(t.entries.c.index, t.entries.c.leaf_hash).where(
    t.entries.c.index.in_(bindparam("positions", expanding=True))
)
# Two IN lists, not a list of pairs: SQLite scans the whole table for pairs, and probes the key for these.
_NODES = select(t.nodes.c.level, t.nodes.c.index, t.nodes.c.hash).where(
    t.nodes.c.level.in_(bindparam("levels", expanding=True)),
    t.nodes.c.index.in_(bindparam("positions", expanding=True)),
)

CheckpointRow: TypeAlias = Row[int, bytes, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A tree head: the compact range over all entries, and the time of the last one as text."""

    range: CompactRange
    time: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """All rows of one appended entry."""

    index: int
    kind: str
    leaf: bytes
    leaf_hash: bytes
    subjects: Sequence[str]
    openings: Sequence[Opening]
    nodes: Sequence[tuple[Node, bytes]]
    head: Head


def read_head(connection: Connection) -> Head:
    """The stored head. Raises :class:`HeadTamperedError` when there is none, or one that cannot be."""
    return _head(connection.execute(_READ_HEAD).one_or_none())


def lock_head(connection: Connection) -> Head:
    """The stored head, locked until the transaction ends. Raises :class:`HeadTamperedError` as above."""
    return _head(connection.execute(_LOCK_HEAD).one_or_none())


def add(connection: Connection, addition: Addition) -> None:
    """Insert the rows of an entry and move the head on."""
    connection.execute(
        _ADD_ENTRY,
        {
            "index": addition.index,
            "kind": addition.kind,
            "time": addition.head.time,
            "leaf": addition.leaf,
            "leaf_hash": addition.leaf_hash,
        },
    )
    if addition.subjects:
        connection.execute(
            _ADD_SUBJECT, [{"subject": subject, "index": addition.index} for subject in addition.subjects]
        )
    if addition.openings:
        connection.execute(_ADD_OPENING, [_opening_row(addition.index, opening) for opening in addition.openings])
    if addition.nodes:
        connection.execute(_ADD_NODE, [_node_row(node, value) for node, value in addition.nodes])
    connection.execute(
        _WRITE_HEAD,
        {
            "new_size": addition.head.range.size,
            "new_range": addition.head.range.to_bytes(),
            "new_time": addition.head.time,
        },
    )


def entry_row(connection: Connection, index: int) -> Row[int, str, str, bytes, bytes] | None:
    """The row of one entry."""
    return connection.execute(_ENTRY, {"index": index}).one_or_none()


def opening_rows(connection: Connection, index: int) -> Sequence[Row[int, str, bytes | None, bytes | None, int | None]]:
    """The rows of an entry's openings, by group."""
    return connection.execute(_OPENINGS, {"index": index}).all()


_KINDS_AFTER = select(t.entries.c.kind).where(t.entries.c.index > bindparam("behind")).distinct()


def kinds_after(connection: Connection, index: int) -> set[str]:
    """The kinds of the entries behind ``index``."""
    return set(connection.execute(_KINDS_AFTER, {"behind": index}).scalars())


def newest_index(connection: Connection, subject: str) -> int | None:
    """The highest entry number that the subjects table has for ``subject``."""
    index: int | None = connection.execute(_NEWEST, {"subject": subject}).scalar_one()
    return index


def indexes(connection: Connection, kinds: Sequence[str], after: int) -> list[int]:
    """The numbers of the entries behind ``after`` whose kind is one of these; ``%`` stands for any ending."""
    wanted = or_(*(t.entries.c.kind.like(kind) if kind.endswith("%") else t.entries.c.kind == kind for kind in kinds))
    query = select(t.entries.c.index).where(t.entries.c.index > after, wanted).order_by(t.entries.c.index)
    return list(connection.execute(query).scalars())


def leaves(connection: Connection, start: int, end: int) -> Iterator[bytes]:
    """The leaf bytes of a span of entries. Raises :class:`RecordBrokenError` where one is missing."""
    expected = start
    for chunk in range(start, end, CHUNK):
        for index, leaf in connection.execute(_LEAVES, {"start": chunk, "end": min(chunk + CHUNK, end)}):
            if index != expected:
                break
            expected += 1
            yield leaf
    if expected != end:
        raise RecordBrokenError(
            f"台账缺少第 {expected} 条；树头记有 {end} 条",
            f"entry {expected} is missing; the head counts {end} entries",
        )


def leaf_hashes(connection: Connection, start: int, end: int) -> list[bytes]:
    """The stored leaf hashes of a span of entries."""
    return list(connection.execute(_HASH_SPAN, {"start": start, "end": end}).scalars())


def read_nodes(connection: Connection, wanted: Sequence[Node]) -> Mapping[Node, bytes]:
    """The stored hashes of complete nodes, in at most two queries; more may come along, or fewer."""
    positions = [node.position for node in wanted if node.level == 0]
    addresses = [node for node in wanted if node.level > 0]
    found: dict[Node, bytes] = {}
    if positions:
        rows = connection.execute(_LEAF_HASHES, {"positions": positions})
        found.update({Node(0, index): leaf_hash for index, leaf_hash in rows})
    if addresses:
        levels = sorted({node.level for node in addresses})
        nodes = connection.execute(_NODES, {"levels": levels, "positions": [node.position for node in addresses]})
        found.update({Node(level, index): value for level, index, value in nodes})
    return found


def erase_openings(connection: Connection, index: int, groups: Collection[str], erased_by: int) -> None:
    """Take salt and value out of the openings of ``groups``, and name the entry that records it."""
    connection.execute(_ERASE, {"at": index, "groups": list(groups), "by": erased_by})


def node_reader(connection: Connection) -> NodeReader:
    """:func:`read_nodes` on one connection, for the functions of :mod:`ledger.merkle`."""
    return partial(read_nodes, connection)


def newest_checkpoint(connection: Connection) -> CheckpointRow | None:
    """The stored checkpoint of the largest tree."""
    return connection.execute(_NEWEST_CHECKPOINT).one_or_none()


def covering_checkpoint(connection: Connection, at_least: int) -> CheckpointRow | None:
    """The stored checkpoint of the smallest tree with ``at_least`` entries."""
    return connection.execute(_COVERING_CHECKPOINT, {"at_least": at_least}).one_or_none()


def add_checkpoint(connection: Connection, checkpoint: Checkpoint, note: str, time: str) -> None:
    """Store a signed checkpoint; when another replica was first with this size, its note stays."""
    statement = _ADD_CHECKPOINT[connection.dialect.name]
    connection.execute(statement, {"size": checkpoint.size, "root": checkpoint.root, "note": note, "time": time})


def _head(row: Row[int, bytes, str | None] | None) -> Head:
    if row is None:
        raise HeadTamperedError("台账树头行不存在；应有一行", "the row of the tree head is missing; one expected")
    try:
        return Head(range=CompactRange.from_bytes(row.size, row.range), time=row.time)
    except ValueError as error:
        raise HeadTamperedError(f"台账树头不成立：{error}", f"the stored tree head cannot be: {error}") from error


def _opening_row(index: int, opening: Opening) -> dict[str, object]:
    return {"index": index, "group": opening.group, "salt": opening.salt, "value": canonical(opening.value)}


def _node_row(node: Node, value: bytes) -> dict[str, object]:
    return {"level": node.level, "index": node.position, "hash": value}
