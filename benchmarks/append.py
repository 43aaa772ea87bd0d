"""What an append and a proof cost when the record has grown: 1,000,000 entries against 1,000.

Both records are real: leaves of the form the book writes, with subjects, openings and tree nodes, loaded in bulk, under
a signed checkpoint. Then the book itself appends to both in turn, one synced commit an entry, on SQLite in WAL mode
with full sync; the figure is the ratio of the medians of wall time, commit included. A proof is a whole
``Book.evidence``: entry and openings read and checked, checkpoint looked up and its signature checked, audit path
read, and the evidence verified before it is returned.
"""

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keystore.files import FileKeystore
from keystore.interface import SigningKey
from ledger import migrate
from ledger.book import Book
from ledger.canonical import JsonValue, canonical
from ledger.checkpoint import Checkpoint, LogIdentity, sign_checkpoint
from ledger.database import Database
from ledger.entry import Draft, Leaf, prepare
from ledger.ids import new_id
from ledger.merkle import CompactRange, leaf_hash
from ledger.moments import to_text
from ledger.store import add_checkpoint

SMALL, LARGE = 1_000, 1_000_000
ROUNDS = 11
APPENDS_A_ROUND = 25
PROOFS_A_ROUND = 25
BATCH = 10_000
START = datetime(2025, 1, 1, tzinfo=UTC)
KIND = "impression.sealed"
GROUPS: dict[str, JsonValue] = {
    "persons": {"applicant": "per-" + "a" * 26, "approver": "per-" + "b" * 26, "on_behalf_of": None},
    "case": {"case_number": "XG-2026-000123", "item": "001-2-30", "basis": "new", "volume_m3": "22.5"},
    "numbers": {"document_number": "赣市审批〔2026〕30号", "licence_number": "容1BGX00123"},
    "document": {"source": "sha256:" + "0" * 64, "sealed": "sha256:" + "1" * 64, "length": 48_213, "pages": 3},
    "decision": {"rule_set": "2026-11", "codes": ["seal_active", "item_listed", "two_persons"], "allowed": True},
    "approval": {"id": "apr-" + "c" * 26, "assurance": "person_signed", "digest": "sha256:" + "2" * 64},
}


@dataclass(slots=True, kw_only=True)
class Record:
    """A loaded record, its book, and where the measured appends go on."""

    database: Database
    book: Book
    seals: list[str]
    now: datetime

    def append(self) -> None:
        """One entry of the kind a seal use writes, in a synced transaction of its own."""
        self.now += timedelta(seconds=1)
        draft = Draft(kind=KIND, subjects=(new_id("app"), self.seals[0]), groups=GROUPS)
        with self.database.write() as connection:
            self.book.append(connection, draft, self.now)

    def prove(self, index: int) -> None:
        """The evidence of one entry, checked."""
        self.book.evidence(index, ["document"], self.now)


def run(out: Callable[[str], None]) -> None:
    """Load both records, measure in turn, and print the figures."""
    with tempfile.TemporaryDirectory(prefix="yinxin-append-") as folder:
        key = _log_key(Path(folder))
        records = {size: _load(Path(folder), size, key, out) for size in (SMALL, LARGE)}
        _measure_appends(records, out)
        _measure_proofs(records, out)
        for record in records.values():
            record.database.close()


def _measure_appends(records: dict[int, Record], out: Callable[[str], None]) -> None:
    wall: dict[int, list[float]] = {size: [] for size in records}
    cpu: dict[int, list[float]] = {size: [] for size in records}
    for round_number in range(ROUNDS + 1):
        for size, record in records.items():
            began, used = time.perf_counter(), time.process_time()
            for _ in range(APPENDS_A_ROUND):
                record.append()
            if round_number:  # the first round warms both up
                wall[size].append((time.perf_counter() - began) / APPENDS_A_ROUND * 1000)
                cpu[size].append((time.process_time() - used) / APPENDS_A_ROUND * 1000)
    out(
        f"append: {ROUNDS} rounds of {APPENDS_A_ROUND} entries with {len(GROUPS)} groups, a synced commit each, in turn"
    )
    for size in records:
        out(f"  at {size:>9,} entries, wall ms: {_summary(wall[size])}; CPU ms: {_summary(cpu[size])}")
    growth = statistics.median(wall[LARGE]) / statistics.median(wall[SMALL])
    out(f"  growth of the minima: {min(wall[LARGE]) / min(wall[SMALL]):.2f}")
    out(f"figure append_growth {growth:.2f}")


def _measure_proofs(records: dict[int, Record], out: Callable[[str], None]) -> None:
    wall: dict[int, list[float]] = {size: [] for size in records}
    chosen = random.Random(7)  # the same entries in every run
    for size, record in records.items():
        record.prove(size // 2)
    for _ in range(ROUNDS):
        for size, record in records.items():
            indexes = [chosen.randrange(size) for _ in range(PROOFS_A_ROUND)]
            began = time.perf_counter()
            for index in indexes:
                record.prove(index)
            wall[size].append((time.perf_counter() - began) / PROOFS_A_ROUND * 1000)
    out(f"proof: {ROUNDS} rounds of {PROOFS_A_ROUND} random entries, the whole evidence read, made and checked")
    for size in records:
        out(f"  at {size:>9,} entries, wall ms: {_summary(wall[size])}")
    out(f"figure proof_ms_at_1m {statistics.median(wall[LARGE]):.2f}")


def _summary(values: list[float]) -> str:
    return f"median {statistics.median(values):.3f}, min {min(values):.3f}"


def _log_key(folder: Path) -> SigningKey:
    FileKeystore.create_key_encryption_key(folder / "kek")
    return FileKeystore(folder / "keys", folder / "kek").generate("log", "ed25519")


def _load(folder: Path, size: int, key: SigningKey, out: Callable[[str], None]) -> Record:
    began = time.perf_counter()
    path = folder / f"{size}.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    database.close()
    seals = [new_id("sea") for _ in range(20)]
    tree, last = _fill(path, size, seals)
    identity = LogIdentity.of_key("bench.yinxin.example/log", key)
    checkpoint = Checkpoint(origin=identity.origin, size=size, root=tree.root())
    with database.write() as connection:
        add_checkpoint(connection, checkpoint, sign_checkpoint(checkpoint, identity, key), to_text(last))
    book = Book(database, identity, key, last_checkpoint=folder / f"{size}.checkpoint")
    out(f"loaded {size:,} entries in {time.perf_counter() - began:.1f} s, {path.stat().st_size / 1e6:,.0f} MB")
    return Record(database=database, book=book, seals=seals, now=last)


def _fill(path: Path, size: int, seals: list[str]) -> tuple[CompactRange, datetime]:
    """Write ``size`` sound entries past the book: every leaf has its own id, time and subjects, and true openings."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    tree, moment = CompactRange(), START
    form, opened = _form()
    for start in range(0, size, BATCH):
        rows = _Rows(form=form)
        for index in range(start, min(start + BATCH, size)):
            moment = START + timedelta(seconds=index)
            tree = rows.add(index, to_text(moment), (new_id("app"), seals[index % len(seals)]), tree)
            rows.openings += [(index, *opening) for opening in opened]
        rows.insert(connection)
    head = (size, tree.to_bytes(), to_text(moment))
    connection.execute('UPDATE ledger_head SET size = ?, "range" = ?, time = ?', head)
    connection.execute("COMMIT")
    connection.close()
    return tree, moment


def _form() -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """A leaf to fill in with id, two subjects and time, and the openings that fit its commitments."""
    subjects = (new_id("app"), new_id("sea"))
    leaf, openings = prepare(Draft(kind=KIND, subjects=subjects, groups=GROUPS), new_id("ent"), START)
    form = leaf.to_bytes().decode()
    for text in (leaf.id, *subjects, to_text(START)):
        form = form.replace(text, "%s")
    filled = form % (leaf.id, *subjects, to_text(START))
    assert Leaf.from_bytes(filled.encode()) == leaf, "the form must give the bytes of an entry"
    return form, [(opening.group, opening.salt, canonical(opening.value)) for opening in openings]


@dataclass(slots=True, kw_only=True)
class _Rows:
    """The rows of one batch."""

    form: str
    entries: list[tuple[object, ...]] = field(default_factory=list)
    subjects: list[tuple[object, ...]] = field(default_factory=list)
    openings: list[tuple[object, ...]] = field(default_factory=list)
    nodes: list[tuple[object, ...]] = field(default_factory=list)

    def add(self, index: int, time_text: str, subjects: tuple[str, str], tree: CompactRange) -> CompactRange:
        data = (self.form % (new_id("ent"), *subjects, time_text)).encode()
        value = leaf_hash(data)
        tree, completed = tree.append(value)
        self.entries.append((index, KIND, time_text, data, value))
        self.subjects += [(subject, index) for subject in subjects]
        self.nodes += [(node.level, node.position, hashed) for node, hashed in completed]
        return tree

    def insert(self, connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO ledger_entries VALUES (?, ?, ?, ?, ?)", self.entries)
        connection.executemany("INSERT INTO ledger_subjects VALUES (?, ?)", self.subjects)
        connection.executemany("INSERT INTO ledger_openings VALUES (?, ?, ?, ?, NULL)", self.openings)
        connection.executemany("INSERT INTO ledger_nodes VALUES (?, ?, ?)", self.nodes)


if __name__ == "__main__":
    run(lambda line: print(line, flush=True))
