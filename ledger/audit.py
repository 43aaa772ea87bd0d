"""The audit: walks the whole record in one snapshot and names the first broken line of each kind.

Everything that the tables say is computed again from the leaves, and the leaves are held against every
checkpoint this log has signed. An opening that was erased, and whose erasure is recorded, is sound; a
changed one never is. Memory does not grow with the record: rows are read a chunk at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger import audit_rows as rows
from ledger import store
from ledger.audit_cosignatures import StoredCosignature, cosignatures
from ledger.canonical import parse
from ledger.checkpoint import Checkpoint, LogIdentity, open_checkpoint
from ledger.entry import ERASURE, ERASURE_GROUP, Leaf, Opening
from ledger.errors import LedgerError
from ledger.merkle import CompactRange, Node, leaf_hash
from ledger.moments import to_text

Progress = Callable[[int, int], None]
"""Called after each chunk with the number of entries walked and the number there are."""

_NO_ROW = ("没有这一行", "no such row")
_UNKNOWN = ("没有这一行", "no such row, no entry accounts for it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One broken line: ``where`` names table and row; ``found`` and ``expected`` are each (zh, en)."""

    code: str
    where: str
    found: tuple[str, str]
    expected: tuple[str, str]

    @property
    def zh(self) -> str:
        """The sentence in Chinese."""
        return f"{self.where}：{self.found[0]}；应为：{self.expected[0]}"

    @property
    def en(self) -> str:
        """The sentence in English."""
        return f"{self.where}: found {self.found[1]}, expected {self.expected[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """A root this log has signed, and where the note stands."""

    where: str
    root: bytes


def audit(
    connection: Connection,
    identity: LogIdentity,
    *,
    kept: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Break]:
    """Walk the record that ``connection`` sees. ``kept`` are signed notes from outside the database."""
    walk = _Walk(connection, identity, kept)
    total = walk.head_size()
    walk.start()
    for start in range(0, total, store.CHUNK):
        end = min(start + store.CHUNK, total)
        walk.chunk(start, end)
        if progress:
            progress(end, total)
    walk.end()
    return list(walk.breaks.values())


class _Walk:
    """The state of one audit: the tree over the leaves so far, and what was found broken."""

    def __init__(self, connection: Connection, identity: LogIdentity, kept: Sequence[str]) -> None:
        self.breaks: dict[str, Break] = {}
        self._connection = connection
        self._identity = identity
        self._stored: store.Head | None = None
        self._tree = CompactRange()
        self._whole = True  # no leaf was missing so far, so the tree can be held against what is stored
        self._time: str | None = None
        self._subjects = 0
        opened = [(f"kept checkpoint {number}", note) for number, note in enumerate(kept, 1)]
        self._kept = [(where, head) for where, note in opened if (head := self._open(note, where))]

    def head_size(self) -> int:
        """How many entries there should be."""
        try:
            self._stored = store.read_head(self._connection)
        except LedgerError as error:
            self._report("head-missing", "ledger_head", (error.zh, error.en), ("一行成立的树头", "one sound row"))
            return rows.entry_count(self._connection)
        return self._stored.range.size

    def start(self) -> None:
        """Checkpoints that were signed before the first entry."""
        self._compare_roots(self._signed(0, 1))

    def chunk(self, start: int, end: int) -> None:
        """A span of entries, with the rows of the other tables that belong to it."""
        stored, openings = (
            rows.entries(self._connection, start, end),
            rows.openings(self._connection, start, end),
        )
        signed = self._signed(start + 1, end + 1)
        cosigned = cosignatures(self._connection, start + 1, end + 1)
        completed: dict[Node, bytes] = {}
        named: list[tuple[str, int]] = []
        for index in range(start, end):
            if index not in stored:
                self._whole = False
                self._report("entry-missing", f"ledger_entries index {index}", _NO_ROW, ("一条", "the entry"))
                continue
            leaf = self._entry(stored[index])
            if leaf:
                named += [(subject, index) for subject in leaf.subjects]
                self._openings(index, leaf, openings.get(index, ()))
            if self._whole:
                self._tree, nodes = self._tree.append(leaf_hash(stored[index].leaf))
                completed.update(nodes)
                self._compare_roots(signed)
                self._compare_cosigned(cosigned)
        self._nodes(completed, rows.nodes(self._connection, start, end))
        self._check_subjects(start, end, named)

    def end(self) -> None:
        """The head, and rows that no entry accounts for."""
        computed = store.Head(range=self._tree, time=self._time)
        if self._whole and self._stored is not None and self._stored != computed:
            root = computed.range.root().hex()
            found = (f"树根 {self._stored.range.root().hex()}", f"root {self._stored.range.root().hex()}")
            expected = (f"树根 {root}，时间 {self._time}", f"root {root} and time {self._time}")
            self._report("head-differs", "ledger_head", found, expected)
        for where in rows.beyond(self._connection, self._tree.size) if self._whole else ():
            self._report("row-unknown", where, ("多出的一行", "a row"), _UNKNOWN)
        for size, signed in self._signed(self._tree.size + 1, 2**62).items() if self._whole else ():
            found = (f"台账只有 {self._tree.size} 条", f"a record of {self._tree.size} entries")
            expected = (f"已签发的 {size} 条", f"the {size} entries that were signed")
            self._report("checkpoint-ahead", signed[0].where, found, expected)
        for size, ahead in cosignatures(self._connection, self._tree.size + 1, 2**62).items() if self._whole else ():
            found = (f"台账只有 {self._tree.size} 条", f"a record of {self._tree.size} entries")
            expected = (f"见证过的 {size} 条", f"the {size} entries that were cosigned")
            self._report("cosigned-ahead", ahead[0].where, found, expected)
        if "subject-missing" in self.breaks or rows.subject_count(self._connection) != self._subjects:
            self._find_unknown_subject()

    def _entry(self, row: rows.EntryRow) -> Leaf | None:
        index, kind, time, data, stored_hash = row
        where = f"ledger_entries index {index}"
        if leaf_hash(data) != stored_hash:
            found, expected = stored_hash.hex(), leaf_hash(data).hex()
            self._report("leaf-hash", where, (f"散列 {found}", f"hash {found}"), (expected, f"{expected} of the leaf"))
        try:
            leaf = Leaf.from_bytes(data)
        except LedgerError as error:
            self._report("leaf-malformed", where, (error.zh, error.en), ("规范条目", "the bytes of an entry"))
            return None
        if (kind, time) != (leaf.kind, to_text(leaf.time)):
            told = f"{leaf.kind} {to_text(leaf.time)}"
            self._report("entry-columns", where, (f"{kind} {time}", f"{kind} {time}"), (told, f"{told} as in the leaf"))
        if self._time is not None and to_text(leaf.time) < self._time:
            found = to_text(leaf.time)
            self._report("time-falls", where, (found, found), (f"不早于 {self._time}", f"{self._time} or later"))
        self._time = to_text(leaf.time)
        return leaf

    def _openings(self, index: int, leaf: Leaf, stored: Sequence[rows.OpeningRow]) -> None:
        groups = set()
        for _, group, salt, value, erased_by in stored:
            groups.add(group)
            where = f"ledger_openings index {index} group {group}"
            if group not in leaf.commitments:
                self._report("opening-unknown", where, ("多出的一行", "a row"), _UNKNOWN)
            elif salt is None or value is None:
                self._erased(where, leaf, group, erased_by)
            elif erased_by is not None or not _fits(leaf, group, salt, value):
                found = ("内容与承诺不符", "another value than was committed to")
                self._report("opening-differs", where, found, (leaf.commitments[group], leaf.commitments[group]))
        for group in sorted(leaf.commitments.keys() - groups):
            where = f"ledger_openings index {index} group {group}"
            self._report("opening-missing", where, _NO_ROW, ("一行", "the opening, or its recorded erasure"))

    def _erased(self, where: str, leaf: Leaf, group: str, erased_by: int | None) -> None:
        row = None if erased_by is None else store.entry_row(self._connection, erased_by)
        if row is None or not self._records_erasure(row, leaf, group):
            found = (f"由第 {erased_by} 条清除", f"an erasure by entry {erased_by}")
            self._report("erasure-unrecorded", where, found, ("有清除记录的条目", "an entry that records this erasure"))

    def _records_erasure(self, row: rows.EntryRow, leaf: Leaf, group: str) -> bool:
        try:
            erasing = Leaf.from_bytes(row.leaf)
            for _, name, salt, value, _ in store.opening_rows(self._connection, row[0]):
                if name == ERASURE_GROUP and salt and value and _fits(erasing, name, salt, value):
                    told = parse(value)
                    return (
                        (erasing.kind, erasing.subjects) == (ERASURE, (leaf.id,))
                        and isinstance(told, dict)
                        and group in told["groups"]
                    )
        except LedgerError:
            return False
        return False

    def _nodes(self, completed: Mapping[Node, bytes], stored: Mapping[Node, bytes]) -> None:
        for node, value in completed.items():
            where = f"ledger_nodes level {node.level} index {node.position}"
            found = stored.get(node)
            if found is None:
                self._report("node-missing", where, _NO_ROW, (value.hex(), value.hex()))
            elif found != value:
                self._report("node-differs", where, (found.hex(), found.hex()), (value.hex(), value.hex()))

    def _check_subjects(self, start: int, end: int, named: Sequence[tuple[str, int]]) -> None:
        self._subjects += len(named)
        stored = rows.subjects(self._connection, start, end, sorted({subject for subject, _ in named}))
        for subject, index in named:
            if (subject, index) not in stored:
                where = f"ledger_subjects subject {subject} index {index}"
                self._report("subject-missing", where, _NO_ROW, ("一行", "the row that the leaf asks for"))

    def _find_unknown_subject(self) -> None:
        with rows.every_subject(self._connection) as every:
            for subject, index, data in every:
                if data is None or not _names(data, subject):
                    where = f"ledger_subjects subject {subject} index {index}"
                    self._report("subject-unknown", where, ("多出的一行", "a row"), _UNKNOWN)
                    return

    def _signed(self, start: int, end: int) -> dict[int, list[_Signed]]:
        """The roots signed for trees of a span of sizes, stored or kept outside."""
        found: dict[int, list[_Signed]] = {}
        for size, root, note, _ in rows.checkpoints(self._connection, start, end):
            where = f"ledger_checkpoints size {size}"
            opened = self._open(note, where)
            if opened is None:
                continue
            if (opened.size, opened.root) != (size, root):
                told = f"{opened.size} {opened.root.hex()}"
                self._report(
                    "checkpoint-columns",
                    where,
                    (f"{size} {root.hex()}",) * 2,
                    (told, f"{told} as in the note"),
                )
            found.setdefault(opened.size, []).append(_Signed(where=where, root=opened.root))
        for where, kept in self._kept:
            if start <= kept.size < end:
                found.setdefault(kept.size, []).append(_Signed(where=where, root=kept.root))
        return found

    def _open(self, note: str, where: str) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self._identity)
        except LedgerError as error:
            expected = (f"{self._identity.origin} 签名的检查点", f"a note signed by {self._identity.origin}")
            self._report("checkpoint-invalid", where, (error.zh, error.en), expected)
            return None

    def _compare_roots(self, signed: Mapping[int, Sequence[_Signed]]) -> None:
        for each in signed.get(self._tree.size, ()):
            root = self._tree.root()
            if each.root != root:
                expected = (f"条目复算的 {root.hex()}", f"{root.hex()}, computed from the leaves")
                self._report("checkpoint-root", each.where, (each.root.hex(),) * 2, expected)

    def _compare_cosigned(self, cosigned: Mapping[int, Sequence[StoredCosignature]]) -> None:
        for each in cosigned.get(self._tree.size, ()):
            root = self._tree.root()
            if not each.fits(Checkpoint(origin=self._identity.origin, size=self._tree.size, root=root)):
                found = ("附签不是对这棵树的", "a cosignature that is not good for this tree")
                self._report("cosignature-differs", each.where, found, (root.hex(), f"one over root {root.hex()}"))

    def _report(self, code: str, where: str, found: tuple[str, str], expected: tuple[str, str]) -> None:
        self.breaks.setdefault(code, Break(code=code, where=where, found=found, expected=expected))


def _fits(leaf: Leaf, group: str, salt: bytes, value: bytes) -> bool:
    try:
        leaf.check(Opening(group=group, salt=salt, value=parse(value)))
    except LedgerError:
        return False
    return True


def _names(leaf: bytes, subject: str) -> bool:
    try:
        return subject in Leaf.from_bytes(leaf).subjects
    except LedgerError:
        return False
