"""The next use refuses: a head, leaf, node or checkpoint that was changed, and a database that was put back."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_world import LogKey, World
from sqlalchemy import text

from ledger.checkpoint import open_checkpoint, sign_checkpoint
from ledger.database import Database
from ledger.errors import CheckpointError, HeadRolledBackError, HeadTamperedError, RecordBrokenError
from ledger.head import HeadGuard
from ledger.ids import new_id
from ledger.merkle import CompactRange, leaf_hash


@pytest.fixture
def record(world: World) -> World:
    world.fill(6)
    world.book.checkpoint(world.now, 6)
    world.fill(3)
    return world


def forge_head(world: World, size: int) -> None:
    """A head that fits the first ``size`` leaves as they are now stored."""
    with world.database.read() as connection:
        stored = connection.execute(text(f'SELECT leaf, time FROM ledger_entries ORDER BY "index" LIMIT {size}')).all()
    tree = CompactRange()
    for leaf, _ in stored:
        tree, _ = tree.append(leaf_hash(bytes(leaf)))
    world.sql('UPDATE ledger_head SET size = :n, "range" = :r, time = :t', n=size, r=tree.to_bytes(), t=stored[-1][1])


CHANGES = {
    "size": "UPDATE ledger_head SET size = size + 1",
    "range": 'UPDATE ledger_head SET "range" = (SELECT hash FROM ledger_nodes LIMIT 1)',
    "time": "UPDATE ledger_head SET time = '2020-01-01T00:00:00.000000Z'",
    "no head": "DELETE FROM ledger_head",
}


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_appended_or_signed_on_a_changed_head(record: World, change: str, restarted: bool) -> None:
    record.sql(CHANGES[change])
    if restarted:
        record.restart()
    uses = record.key.uses
    for use in (record.append, lambda: record.book.checkpoint(record.now, 9)):
        with pytest.raises(RecordBrokenError) as refusal:
            use()
        assert refusal.value.code == "record-broken" if change == "size" else "head-tampered"
    assert record.key.uses == uses
    assert record.count("ledger_entries") == 9


def test_an_entry_added_past_the_head_of_this_process_is_refused(record: World) -> None:
    record.sql('INSERT INTO ledger_entries SELECT 9, kind, time, leaf, leaf_hash FROM ledger_entries WHERE "index" = 8')
    record.sql("UPDATE ledger_head SET size = 10")
    with pytest.raises(HeadTamperedError):
        record.append()


def test_a_tail_changed_with_its_hashes_is_refused_by_the_living_process(record: World) -> None:
    other = 'SELECT leaf FROM ledger_entries WHERE "index" = 0'
    record.sql(f'UPDATE ledger_entries SET leaf = ({other}) WHERE "index" = 8')
    forge_head(record, 9)
    with pytest.raises(HeadTamperedError):
        record.append()


def test_a_head_put_back_is_refused_by_the_living_process(record: World) -> None:
    forge_head(record, 7)
    with pytest.raises(HeadRolledBackError) as refusal:
        record.append()
    assert refusal.value.code == "head-rolled-back"
    with pytest.raises(HeadRolledBackError):
        record.book.checkpoint(record.now, 1)


def test_a_head_put_back_under_a_signed_checkpoint_is_refused_after_a_restart(record: World) -> None:
    forge_head(record, 5)
    record.restart()
    with pytest.raises(HeadRolledBackError):
        record.append()


def test_a_database_put_back_from_a_copy_is_refused_by_the_file_outside(record: World, tmp_path: Path) -> None:
    if record.database.dialect != "sqlite":
        forge_head(record, 5)
        record.sql("DELETE FROM ledger_checkpoints")
    else:
        record.database.close()
        copy = shutil.copy(record.database.engine.url.database, tmp_path / "copy.db")
        record.fill(2)
        record.now += timedelta(minutes=1)
        record.book.checkpoint(record.now, 11)
        record.database = Database(f"sqlite:///{copy}")
    record.restart()
    with pytest.raises(HeadRolledBackError):
        record.append()
    assert [each.code for each in record.book.audit()][-1] == "checkpoint-ahead"
    record.database.close()


def test_the_file_outside_is_written_at_most_once_a_second(record: World) -> None:
    first = record.anchor.read_text(encoding="utf-8")
    record.book.checkpoint(record.now, 9)
    assert record.anchor.read_text(encoding="utf-8") != first
    second = record.anchor.read_text(encoding="utf-8")
    record.fill(1)
    record.now -= timedelta(milliseconds=500)
    record.book.checkpoint(record.now, 10)
    assert record.anchor.read_text(encoding="utf-8") == second
    assert [path.name for path in record.anchor.parent.iterdir() if "checkpoint" in path.name] == ["last-checkpoint"]


@pytest.mark.parametrize("note", [b"", b"nothing", b"\xff\xfe"])
def test_a_file_outside_that_was_changed_is_refused(record: World, note: bytes) -> None:
    record.anchor.write_bytes(note)
    record.restart()
    with pytest.raises(CheckpointError):
        record.append()


def test_a_file_outside_that_cannot_be_read_is_refused(record: World) -> None:
    record.anchor.unlink()
    record.anchor.mkdir()
    record.restart()
    with pytest.raises(CheckpointError, match="last-checkpoint"):
        record.append()


def test_a_checkpoint_forged_with_another_key_is_refused(record: World, other_key: LogKey) -> None:
    with record.database.read() as connection:
        note = connection.execute(text("SELECT note FROM ledger_checkpoints")).scalar_one()
    identity = type(record.identity).of_key(record.identity.origin, other_key)
    forged = sign_checkpoint(open_checkpoint(note, record.identity), identity, other_key)
    record.sql("UPDATE ledger_checkpoints SET note = :note", note=forged)
    record.restart()
    with pytest.raises(CheckpointError):
        record.append()


@pytest.mark.parametrize(
    "change",
    [
        'DELETE FROM ledger_nodes WHERE level = 2 AND "index" = 0',
        'UPDATE ledger_nodes SET hash = (SELECT hash FROM ledger_nodes WHERE level = 1 AND "index" = 0)',
        'UPDATE ledger_entries SET leaf = (SELECT leaf FROM ledger_entries WHERE "index" = 0) WHERE "index" = 5',
        'DELETE FROM ledger_entries WHERE "index" = 7',
        'UPDATE ledger_entries SET leaf = (SELECT leaf FROM ledger_entries WHERE "index" = 0) WHERE "index" = 7',
    ],
)
def test_a_restart_refuses_a_tree_that_does_not_lead_to_what_was_signed(record: World, change: str) -> None:
    record.sql(change)
    record.restart()
    with pytest.raises(RecordBrokenError):
        record.append()


TRUSTED = {
    "leaf": 'UPDATE ledger_entries SET leaf = (SELECT leaf FROM ledger_entries WHERE "index" = 0) WHERE "index" = 4',
    "leaf and hash": 'UPDATE ledger_entries SET leaf = (SELECT leaf FROM ledger_entries WHERE "index" = 0), '
    'leaf_hash = (SELECT leaf_hash FROM ledger_entries WHERE "index" = 0), '
    'time = (SELECT time FROM ledger_entries WHERE "index" = 0) WHERE "index" = 4',
    "kind": "UPDATE ledger_entries SET kind = 'seal.cancel' WHERE \"index\" = 4",
    "value": 'UPDATE ledger_openings SET value = (SELECT value FROM ledger_openings WHERE "index" = 0) '
    'WHERE "index" = 4',
    "opening gone": 'DELETE FROM ledger_openings WHERE "index" = 4',
    "opening emptied": 'UPDATE ledger_openings SET salt = NULL, value = NULL WHERE "index" = 4',
}


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("change", TRUSTED)
def test_an_entry_that_was_changed_is_not_trusted(record: World, change: str, restarted: bool) -> None:
    record.sql(TRUSTED[change])
    if change == "leaf and hash":
        record.sql('UPDATE ledger_openings SET "index" = 40 WHERE "index" = 4')
        record.sql('UPDATE ledger_openings SET "index" = 4 WHERE "index" = 0')
    if restarted:
        record.restart()
    with record.database.read() as connection, pytest.raises(RecordBrokenError, match=r"entry [45]"):
        record.book.trusted(connection, 4)


def test_an_entry_that_was_changed_is_not_given_as_evidence(record: World) -> None:
    record.sql(TRUSTED["leaf"])
    with pytest.raises(RecordBrokenError):
        record.book.evidence(4, ["row"], record.now)


def test_the_newest_entry_taken_out_of_the_index_is_missed_by_the_process_that_knows_it(record: World) -> None:
    seal = new_id("sea")
    record.append(seal, row={"state": "active"})
    suspended = record.append(seal, row={"state": "suspended"})
    record.sql('DELETE FROM ledger_subjects WHERE "index" = :index', index=suspended.index)
    with record.database.read() as connection, pytest.raises(RecordBrokenError, match="index of"):
        record.book.latest(connection, seal)
    record.sql("DELETE FROM ledger_subjects")
    with record.database.read() as connection, pytest.raises(RecordBrokenError):
        record.book.latest(connection, seal)


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize("prefix", ["row", "apl", "num"])
def test_what_must_not_be_forgotten_is_read_from_the_leaves_after_a_restart(
    world: World, prefix: str, checkpointed: bool
) -> None:
    subject = new_id(prefix)
    world.append(subject, new_id("app"), row={"state": "active"})
    suspended = world.append(subject, row={"state": "suspended"})
    if checkpointed:
        world.book.checkpoint(world.now, 2)
    world.sql('DELETE FROM ledger_subjects WHERE "index" = :index', index=suspended.index)
    world.restart()
    with world.database.read() as connection:
        assert world.book.newer(connection, subject, 0) == suspended.index
        assert world.book.newer(connection, subject, suspended.index) is None
        with pytest.raises(RecordBrokenError, match="index of"):
            world.book.latest(connection, subject)


def test_a_leaf_under_the_signed_checkpoint_that_was_changed_stops_a_restart(record: World) -> None:
    record.sql('UPDATE ledger_entries SET leaf = (SELECT leaf FROM ledger_entries WHERE "index" = 0) WHERE "index" = 2')
    record.restart()
    with pytest.raises(HeadTamperedError, match="leaves have another root"):
        record.append()


def test_what_must_not_be_forgotten_is_never_dropped(record: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.head.REMEMBERED", 2)
    line = new_id("apl")
    used = record.append(line)
    record.fill(5)
    assert record.book._guard.newest(line) == used.index


def test_entries_are_found_by_kind(record: World) -> None:
    for kind in ("seal.impressed", "seal.refused", "organ.changed", "organ_key.changed"):
        record.append(kind=kind)
    with record.database.read() as connection:
        assert record.book.indexes(connection, "seal.impressed", "seal.refused") == [9, 10]
        assert record.book.indexes(connection, "organ.%") == [11]
        assert record.book.indexes(connection, "organ%", after=11) == [12]
        assert record.book.kinds_after(connection, 10) == {"organ.changed", "organ_key.changed"}


def test_an_index_that_points_to_another_entry_is_noticed(record: World) -> None:
    seal = new_id("sea")
    record.sql("INSERT INTO ledger_subjects VALUES (:seal, 3)", seal=seal)
    with record.database.read() as connection, pytest.raises(RecordBrokenError, match="not about"):
        record.book.latest(connection, seal)


def test_what_is_remembered_is_bounded(record: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.head.REMEMBERED", 4)
    record.fill(10)
    guard: HeadGuard = record.book._guard
    with record.database.read() as connection:
        for index in range(10):
            record.book.trusted(connection, index)
    assert len(guard._proven) <= 9
    assert len(guard._newest) <= 4
