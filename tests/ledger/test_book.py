"""The book on real databases: what is appended can be read, trusted, proven and erased, and nothing else."""

import json
from datetime import timedelta
from pathlib import Path
from time import sleep

import pytest
from ledger_world import LogKey, World
from sqlalchemy import text

from keystore.interface import Permit
from ledger.book import SKEW
from ledger.canonical import JsonValue
from ledger.entry import Draft
from ledger.errors import (
    CheckpointError,
    ClockBehindError,
    DraftError,
    EntryNotFoundError,
    NotCanonicalError,
    ProofError,
)
from ledger.evidence import Evidence
from ledger.ids import new_id
from ledger.merkle import leaf_hash

PERSON = {"name": "张三", "role": "用章人员"}


class RolledBack(Exception):  # noqa: N818  thrown to leave a transaction
    pass


def test_append_numbers_entries_and_gives_the_hash_of_the_leaf(world: World) -> None:
    seal = new_id("sea")
    first, second = world.append(seal, numbers={"document": "赣市审批〔2026〕1号"}), world.append(seal)
    assert (first.index, second.index) == (0, 1)
    with world.database.read() as connection:
        stored = world.book.entry(connection, 0)
    assert stored.leaf_hash == first.leaf_hash == leaf_hash(stored.data)
    assert stored.value("numbers") == {"document": "赣市审批〔2026〕1号"}
    assert (stored.kind, stored.time, stored.leaf.subjects) == ("seal.use", first.time, (seal,))


def test_several_entries_share_the_callers_transaction(world: World) -> None:
    with world.database.write() as connection:
        for number in range(3):
            draft = Draft(kind="a.b", subjects=(), groups={"row": number})
            assert world.book.append(connection, draft, world.now).index == number
            assert world.book.trusted(connection, number).value("row") == number
    assert world.book.audit() == []


def test_what_is_rolled_back_leaves_no_trace_and_no_false_alarm(world: World) -> None:
    world.fill(3)
    with pytest.raises(RolledBack), world.database.write() as connection:  # noqa: PT012  the block is the transaction that is left
        lost = world.book.append(connection, Draft(kind="a.b", subjects=(), groups={"row": "lost"}), world.now)
        world.book.trusted(connection, lost.index)
        raise RolledBack
    kept = world.append(row="kept")
    assert kept.index == lost.index
    with world.database.read() as connection:
        assert world.book.trusted(connection, kept.index).value("row") == "kept"
    assert world.book.audit() == []


def test_a_savepoint_rolled_back_leaves_no_false_alarm(world: World) -> None:
    world.fill(1)
    draft = Draft(kind="a.b", subjects=(), groups={"row": 1})
    with world.database.write() as connection:
        with pytest.raises(RolledBack), connection.begin_nested():  # noqa: PT012  the block is the transaction that is left
            world.book.append(connection, draft, world.now)
            raise RolledBack
        assert world.book.append(connection, draft, world.now).index == 1
    assert world.book.audit() == []


def test_the_newest_entry_about_a_subject(world: World) -> None:
    seal, other = new_id("sea"), new_id("sea")
    for state in ("active", "suspended", "active"):
        world.append(seal, row={"state": state})
        world.append(other)
    with world.database.read() as connection:
        assert world.book.latest(connection, seal).index == 4
        assert world.book.latest(connection, new_id("sea")) is None


def test_now_long_before_the_last_entry_is_refused(world: World) -> None:
    world.fill(2)
    draft = Draft(kind="a.b", subjects=(), groups={})
    with pytest.raises(ClockBehindError) as refusal, world.database.write() as connection:
        world.book.append(connection, draft, world.now - SKEW - timedelta(seconds=1))
    assert refusal.value.code == "clock-behind"
    assert world.count("ledger_entries") == 2


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(microseconds=1), SKEW])
def test_a_writer_that_waited_for_the_head_gets_the_time_of_the_entry_before(world: World, behind: timedelta) -> None:
    last = world.append()
    draft = Draft(kind="a.b", subjects=(), groups={})
    with world.database.write() as connection:
        assert world.book.append(connection, draft, last.time - behind).time == last.time
    assert world.book.audit() == []


@pytest.mark.parametrize("restarted", [False, True])
def test_the_clock_is_held_against_the_leaf_not_the_column(world: World, restarted: bool) -> None:
    world.fill(2)
    world.book.checkpoint(world.now, 2)
    world.sql("UPDATE ledger_head SET time = '2020-01-01T00:00:00.000000Z'")
    if restarted:
        world.restart()
    with pytest.raises(Exception, match="head") as refusal:
        world.append()
    assert refusal.value.code == "head-tampered"


def test_a_draft_that_cannot_be_written_writes_nothing(world: World) -> None:
    world.fill(1)
    with pytest.raises(NotCanonicalError):
        world.append(row={"volume": 22.5})
    with pytest.raises(DraftError):
        world.append(*[new_id("sea") for _ in range(2200)])
    assert world.append().index == 1


def test_an_entry_that_is_not_there(world: World) -> None:
    world.fill(1)
    with world.database.read() as connection:
        for read in (world.book.entry, world.book.trusted):
            with pytest.raises(EntryNotFoundError):
                read(connection, 1)
        with pytest.raises(EntryNotFoundError):
            world.book.entry(connection, 0).value("persons")


def test_a_checkpoint_is_reused_while_it_covers(world: World) -> None:
    world.fill(3)
    first = world.book.checkpoint(world.now, 2)
    assert first.size == 3
    assert world.book.checkpoint(world.now, 3) == first
    world.fill(2)
    assert world.book.checkpoint(world.now, 3) == first
    second = world.book.checkpoint(world.now, 4)
    assert second.size == 5
    assert world.key.uses == 2
    with pytest.raises(EntryNotFoundError):
        world.book.checkpoint(world.now, 6)


def test_no_lock_is_held_while_the_log_key_is_used(world: World) -> None:
    world.fill(1)
    signed = world.key.sign

    def sign(permit: Permit, message: bytes) -> bytes:
        world.append()  # would wait for the busy timeout if the head were locked
        return signed(permit, message)

    world.key.sign = sign
    assert world.book.checkpoint(world.now, 1).size == 1
    assert world.count("ledger_entries") == 2


def test_the_checkpoint_of_a_record_without_entries(world: World) -> None:
    assert world.book.checkpoint(world.now, 0).size == 0
    world.fill(2)
    assert world.book.audit() == []


def test_evidence_is_judged_without_the_database(world: World) -> None:
    for _ in range(9):
        world.append(persons=PERSON, numbers={"n": 1})
    evidence = world.book.evidence(4, ["numbers"], world.now)
    carried = json.loads(json.dumps(evidence.to_json()))
    received = Evidence.from_json(carried)
    assert received == evidence
    leaf, checkpoint = received.check(world.identity)
    assert (leaf.kind, checkpoint.size) == ("seal.use", 9)
    assert received.openings["numbers"].value == {"n": 1}
    assert "张三" not in json.dumps(carried, ensure_ascii=False)
    with pytest.raises(EntryNotFoundError):
        world.book.evidence(4, ["nothing"], world.now)
    with pytest.raises(EntryNotFoundError):
        world.book.evidence(9, [], world.now)


@pytest.mark.parametrize(
    ("member", "value", "error"),
    [
        ("index", 3, ProofError),
        ("index", True, ProofError),
        ("index", "4", ProofError),
        ("leaf", "AAAA", ProofError),
        ("leaf", "not base64", ProofError),
        ("leaf", 1, ProofError),
        ("proof", [], ProofError),
        ("proof", None, ProofError),
        ("openings", {"persons": {"salt": "00" * 32, "value": {"name": "李四"}}}, ProofError),
        ("openings", {"persons": {"salt": "xx", "value": 1}}, ProofError),
        ("openings", {"persons": {"value": 1}}, ProofError),
        ("openings", {"persons": {"salt": "00", "value": 1.5}}, ProofError),
        ("openings", [], ProofError),
        ("checkpoint", "", CheckpointError),
        ("checkpoint", None, ProofError),
        ("d", "yinxin/evidence/v2", ProofError),
        ("more", 1, ProofError),
    ],
)
def test_evidence_that_was_changed_is_refused(
    world: World, member: str, value: JsonValue, error: type[Exception]
) -> None:
    for _ in range(5):
        world.append(persons=PERSON)
    carried = world.book.evidence(4, ["persons"], world.now).to_json()
    with pytest.raises(error):
        Evidence.from_json({**carried, member: value}).check(world.identity)


def test_evidence_of_another_log_is_refused(world: World, other_key: LogKey) -> None:
    world.fill(1)
    evidence = world.book.evidence(0, [], world.now)
    identity = type(world.identity).of_key(world.identity.origin, other_key)
    with pytest.raises(CheckpointError):
        evidence.check(identity)


def test_an_opening_is_erased_and_the_leaf_stays(world: World) -> None:
    target = world.append(persons=PERSON, numbers={"n": 1})
    by = new_id("per")
    with world.database.read() as connection:
        before = world.book.entry(connection, target.index)
    with world.database.write() as connection:
        erasure = world.book.erase(connection, target.index, ["persons"], reason="保管期限届满", by=by, now=world.now)
    with world.database.read() as connection:
        after = world.book.trusted(connection, target.index)
        record = world.book.latest(connection, before.leaf.id)
        kept = connection.execute(text("SELECT salt, value FROM ledger_openings WHERE erased_by = 1")).all()
    assert (after.data, after.leaf_hash) == (before.data, before.leaf_hash)
    assert after.erased == {"persons": erasure.index}
    assert kept == [(None, None)]
    with pytest.raises(EntryNotFoundError):
        after.value("persons")
    assert record.value("erasure") == {"by": by, "entry": 0, "groups": ["persons"], "reason": "保管期限届满"}
    assert world.book.audit() == []
    assert world.book.evidence(target.index, ["persons", "numbers"], world.now).openings.keys() == {"numbers"}


def test_an_erasure_is_not_erased_and_nothing_is_erased_twice(world: World) -> None:
    world.append(persons=PERSON)

    def erase(index: int, group: object) -> None:
        with world.database.write() as connection:
            world.book.erase(connection, index, [group], reason="r", by=new_id("per"), now=world.now)

    erase(0, "persons")
    with pytest.raises(EntryNotFoundError):
        erase(0, "persons")
    with pytest.raises(EntryNotFoundError):
        erase(0, "numbers")
    with pytest.raises(DraftError):
        erase(1, "erasure")
    assert world.count("ledger_entries") == 2


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_what_was_erased_is_overwritten_in_the_file(world: World, tmp_path: Path) -> None:
    world.append(persons={"name": "identifiable-person-name"})
    with world.database.write() as connection:
        world.book.erase(connection, 0, ["persons"], reason="r", by=new_id("per"), now=world.now)
    with world.database.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (file,) = tmp_path.glob("*.db")
    assert b"identifiable-person-name" not in file.read_bytes()


def test_a_restart_trusts_the_newest_signed_checkpoint_and_re_hashes_the_rest(world: World) -> None:
    world.fill(5)
    world.book.checkpoint(world.now, 5)
    world.fill(4)
    world.restart()
    assert world.append().index == 9
    with world.database.read() as connection:
        for index in range(10):
            assert world.book.trusted(connection, index).index == index


def test_an_old_snapshot_is_read_while_others_append(world: World) -> None:
    world.fill(4)
    world.restart()
    with world.database.read() as connection:
        assert world.book.entry(connection, 3).index == 3
        world.append()
        assert world.book.trusted(connection, 2).index == 2
        with pytest.raises(EntryNotFoundError):
            world.book.trusted(connection, 4)
        assert world.book.latest(connection, new_id("sea")) is None


def test_the_time_for_which_a_writer_waited_is_no_fault_of_its_clock(world: World) -> None:
    last = world.append()
    draft = Draft(kind="a.b", subjects=(), groups={})
    with world.database.write() as connection:
        sleep(0.3)
        behind = SKEW + timedelta(seconds=0.25)
        assert world.book.append(connection, draft, last.time - behind).time == last.time
