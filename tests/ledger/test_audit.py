"""Tampering by SQL: flip, delete, swap, add and roll back rows of every table; the audit names the line."""

from typing import Any

import pytest
from ledger_world import World
from sqlalchemy import text

from ledger.audit import Break
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.ids import new_id
from ledger.merkle import CompactRange, leaf_hash


@pytest.fixture
def record(world: World) -> World:
    """Eleven entries under two checkpoints, one opening erased."""
    for number in range(5):
        world.append(new_id("sea"), persons={"name": "张三"}, numbers={"n": number})
    world.book.checkpoint(world.now, 5)
    for number in range(5, 10):
        world.append(new_id("sea"), persons={"name": "李四"}, numbers={"n": number})
    with world.database.write() as connection:
        world.book.erase(connection, 2, ["persons"], reason="期限届满", by=new_id("per"), now=world.now)
    world.book.checkpoint(world.now, 11)
    assert world.book.audit() == []
    return world


def column(world: World, statement: str, **values: object) -> Any:
    with world.database.read() as connection:
        return connection.execute(text(statement), values).scalar_one()


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def audit(world: World) -> dict[str, Break]:
    return {each.code: each for each in world.book.audit()}


FLIPS = [
    ("ledger_entries", "leaf", '"index" = 3', "leaf-hash", "ledger_entries index 3"),
    ("ledger_entries", "leaf", '"index" = 3', "leaf-malformed", "ledger_entries index 3"),
    ("ledger_entries", "leaf_hash", '"index" = 10', "leaf-hash", "ledger_entries index 10"),
    ("ledger_openings", "value", '"index" = 4 AND "group" = \'numbers\'', "opening-differs", "index 4 group numbers"),
    ("ledger_openings", "salt", '"index" = 4 AND "group" = \'numbers\'', "opening-differs", "index 4 group numbers"),
    ("ledger_nodes", "hash", 'level = 1 AND "index" = 2', "node-differs", "level 1 index 2"),
    ("ledger_nodes", "hash", 'level = 3 AND "index" = 0', "node-differs", "level 3 index 0"),
    ("ledger_head", "range", "id = 1", "head-differs", "ledger_head"),
    ("ledger_checkpoints", "root", "size = 5", "checkpoint-columns", "ledger_checkpoints size 5"),
]


@pytest.mark.parametrize(("table", "name", "row", "code", "where"), FLIPS)
def test_a_flipped_bit_is_named(record: World, table: str, name: str, row: str, code: str, where: str) -> None:
    found = bytes(column(record, f'SELECT "{name}" FROM {table} WHERE {row}'))
    record.sql(f'UPDATE {table} SET "{name}" = :new WHERE {row}', new=flip(found))
    assert where in audit(record)[code].where


REWRITES = [
    ("UPDATE ledger_entries SET kind = 'seal.cancel' WHERE \"index\" = 6", "entry-columns", "ledger_entries index 6"),
    (
        "UPDATE ledger_entries SET time = '2026-01-01T00:00:00.000000Z' WHERE \"index\" = 6",
        "entry-columns",
        "ledger_entries index 6",
    ),
    ("UPDATE ledger_head SET time = '2026-01-01T00:00:00.000000Z'", "head-differs", "ledger_head"),
    ("UPDATE ledger_head SET size = 12", "head-missing", "ledger_head"),
    ("UPDATE ledger_head SET size = 13", "entry-missing", "ledger_entries index 11"),
    ("UPDATE ledger_checkpoints SET note = 'nothing' WHERE size = 5", "checkpoint-invalid", "size 5"),
    ("UPDATE ledger_checkpoints SET size = 6 WHERE size = 5", "checkpoint-columns", "ledger_checkpoints size 6"),
    ("UPDATE ledger_checkpoints SET size = 40 WHERE size = 5", "checkpoint-ahead", "ledger_checkpoints size 40"),
    ('UPDATE ledger_openings SET erased_by = 10 WHERE "index" = 3', "opening-differs", "index 3 group numbers"),
    (
        'UPDATE ledger_openings SET salt = NULL, value = NULL, erased_by = 10 WHERE "index" = 3',
        "erasure-unrecorded",
        "index 3 group numbers",
    ),
    (
        'UPDATE ledger_openings SET salt = NULL, value = NULL, erased_by = 10 WHERE "index" = 2',
        "erasure-unrecorded",
        "index 2 group numbers",
    ),
    (
        'UPDATE ledger_openings SET salt = NULL, value = NULL, erased_by = 99 WHERE "index" = 3',
        "erasure-unrecorded",
        "index 3 group numbers",
    ),
    ('UPDATE ledger_openings SET value = NULL WHERE "index" = 3', "erasure-unrecorded", "index 3 group numbers"),
    ('UPDATE ledger_openings SET "index" = 90 WHERE "index" = 10', "row-unknown", "ledger_openings index 90"),
    ('UPDATE ledger_openings SET "group" = \'case\' WHERE "index" = 10', "opening-unknown", "index 10 group case"),
    ('UPDATE ledger_subjects SET "index" = 90 WHERE "index" = 3', "subject-unknown", "index 90"),
    ('UPDATE ledger_nodes SET "index" = 77 WHERE level = 1 AND "index" = 0', "row-unknown", "level 1 index 77"),
    ('UPDATE ledger_nodes SET level = 40 WHERE level = 1 AND "index" = 0', "row-unknown", "ledger_nodes level 40"),
]


@pytest.mark.parametrize(("statement", "code", "where"), REWRITES)
def test_a_rewritten_row_is_named(record: World, statement: str, code: str, where: str) -> None:
    record.sql(statement)
    assert where in audit(record)[code].where


DELETIONS = [
    ('ledger_entries WHERE "index" = 4', "entry-missing", "ledger_entries index 4"),
    ('ledger_entries WHERE "index" = 10', "entry-missing", "ledger_entries index 10"),
    ('ledger_subjects WHERE "index" = 4', "subject-missing", "index 4"),
    ('ledger_openings WHERE "index" = 4', "opening-missing", "index 4 group numbers"),
    ('ledger_openings WHERE "index" = 2 AND salt IS NULL', "opening-missing", "index 2 group persons"),
    ('ledger_nodes WHERE level = 2 AND "index" = 1', "node-missing", "level 2 index 1"),
    ("ledger_head", "head-missing", "ledger_head"),
]


@pytest.mark.parametrize(("row", "code", "where"), DELETIONS)
def test_a_deleted_row_is_named(record: World, row: str, code: str, where: str) -> None:
    record.sql(f"DELETE FROM {row}")
    assert where in audit(record)[code].where


SWAPS = [
    ("ledger_entries", "leaf", '"index" = 3', '"index" = 7', "leaf-hash", "index 3"),
    ("ledger_entries", "leaf_hash", '"index" = 3', '"index" = 7', "leaf-hash", "index 3"),
    (
        "ledger_openings",
        "value",
        '"index" = 3 AND "group" = \'numbers\'',
        '"index" = 7 AND "group" = \'numbers\'',
        "opening-differs",
        "index 3 group numbers",
    ),
    (
        "ledger_nodes",
        "hash",
        'level = 1 AND "index" = 0',
        'level = 1 AND "index" = 1',
        "node-differs",
        "level 1 index 0",
    ),
    ("ledger_checkpoints", "note", "size = 5", "size = 11", "checkpoint-columns", "size 5"),
]


@pytest.mark.parametrize(("table", "name", "first", "second", "code", "where"), SWAPS)
def test_two_rows_swapped_are_named(
    record: World, table: str, name: str, first: str, second: str, code: str, where: str
) -> None:
    values = [column(record, f'SELECT "{name}" FROM {table} WHERE {row}') for row in (first, second)]
    for row, value in zip((second, first), values, strict=True):
        record.sql(f'UPDATE {table} SET "{name}" = :value WHERE {row}', value=value)
    assert where in audit(record)[code].where


def test_subjects_swapped_between_entries_are_named(record: World) -> None:
    record.sql('UPDATE ledger_subjects SET "index" = 100 - "index" WHERE "index" IN (49, 3, 4)')
    record.sql('UPDATE ledger_subjects SET "index" = CASE "index" WHEN 97 THEN 4 ELSE 3 END WHERE "index" > 50')
    broken = audit(record)
    assert "index 3" in broken["subject-missing"].where


def test_an_added_subject_row_is_named(record: World) -> None:
    record.sql("INSERT INTO ledger_subjects VALUES (:subject, 3)", subject=new_id("sea"))
    assert "index 3" in audit(record)["subject-unknown"].where


def test_an_added_entry_is_named(record: World) -> None:
    record.sql(
        'INSERT INTO ledger_entries SELECT 11, kind, time, leaf, leaf_hash FROM ledger_entries WHERE "index" = 10'
    )
    assert "ledger_entries index 11" in audit(record)["row-unknown"].where


def rolled_back_to_nine(world: World) -> None:
    """What somebody does who takes the last two entries out of every table and knows how the tree works."""
    with world.database.read() as connection:
        stored = connection.execute(text('SELECT leaf, time FROM ledger_entries ORDER BY "index" LIMIT 9')).all()
    tree = CompactRange()
    for leaf, _ in stored:
        tree, _ = tree.append(leaf_hash(bytes(leaf)))
    for table in ("ledger_entries", "ledger_subjects", "ledger_openings"):
        world.sql(f'DELETE FROM {table} WHERE "index" >= 9')
    world.sql('DELETE FROM ledger_nodes WHERE level = 1 AND "index" = 4')
    world.sql("UPDATE ledger_openings SET erased_by = NULL")
    world.sql(
        'UPDATE ledger_head SET size = 9, "range" = :range, time = :time', range=tree.to_bytes(), time=stored[-1][1]
    )


def test_a_record_rolled_back_under_its_checkpoints_is_named(record: World) -> None:
    rolled_back_to_nine(record)
    broken = audit(record)
    assert "ledger_checkpoints size 11" in broken["checkpoint-ahead"].where
    assert "index 2 group persons" in broken["erasure-unrecorded"].where


def test_a_record_rolled_back_with_its_checkpoints_is_named_by_the_file_outside(record: World) -> None:
    rolled_back_to_nine(record)
    record.sql("DELETE FROM ledger_checkpoints WHERE size > 9")
    assert "kept checkpoint 1" in audit(record)["checkpoint-ahead"].where


def test_a_past_rewritten_with_all_its_hashes_contradicts_the_signed_root(record: World) -> None:
    leaf = bytes(column(record, 'SELECT leaf FROM ledger_entries WHERE "index" = 1'))
    other = bytes(column(record, 'SELECT leaf FROM ledger_entries WHERE "index" = 0'))
    assert leaf != other
    record.sql(
        'UPDATE ledger_entries SET leaf = :leaf, leaf_hash = :hash WHERE "index" = 1', leaf=other, hash=leaf_hash(other)
    )
    broken = audit(record)
    assert "leaf-hash" not in broken
    assert "ledger_checkpoints size 5" in broken["checkpoint-root"].where
    assert "ledger_nodes level 1 index 0" in broken["node-differs"].where


def test_a_time_that_falls_is_named(record: World) -> None:
    earlier, later = (
        bytes(column(record, f'SELECT leaf FROM ledger_entries WHERE "index" = {index}')) for index in (3, 7)
    )
    for index, leaf in ((3, later), (7, earlier)):
        record.sql(f'UPDATE ledger_entries SET leaf = :leaf WHERE "index" = {index}', leaf=leaf)
    assert "ledger_entries index 4" in audit(record)["time-falls"].where


def test_a_checkpoint_of_another_tree_signed_with_our_key_is_named(record: World) -> None:
    fork = Checkpoint(origin=record.identity.origin, size=6, root=bytes(32))
    note = sign_checkpoint(fork, record.identity, record.key)
    record.sql("INSERT INTO ledger_checkpoints VALUES (6, :root, :note, 'now')", root=bytes(32), note=note)
    assert "ledger_checkpoints size 6" in audit(record)["checkpoint-root"].where


def test_a_break_tells_what_was_found_and_expected_in_both_languages(record: World) -> None:
    record.sql("UPDATE ledger_entries SET kind = 'seal.cancel' WHERE \"index\" = 6")
    (found,) = record.book.audit()
    assert found.en.startswith("ledger_entries index 6: found seal.cancel")
    assert "expected seal.use" in found.en
    assert "应为：seal.use" in found.zh


def test_breaks_never_tell_a_value(record: World) -> None:
    record.sql("UPDATE ledger_openings SET salt = :salt WHERE \"group\" = 'persons'", salt=bytes(32))
    (found,) = record.book.audit()
    assert "李四" not in found.zh + found.en
    assert "张三" not in found.zh + found.en


def test_progress_is_told(record: World) -> None:
    told = []
    record.book.audit(lambda done, total: told.append((done, total)))
    assert told == [(11, 11)]


def test_many_chunks_are_walked_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.CHUNK", 3)
    world.fill(7)
    world.book.checkpoint(world.now, 7)
    world.fill(4)
    told = []
    assert world.book.audit(lambda done, _: told.append(done)) == []
    assert told == [3, 6, 9, 11]
    world.sql("DELETE FROM ledger_nodes WHERE level = 3")
    assert [each.where for each in world.book.audit()] == ["ledger_nodes level 3 index 0"]
