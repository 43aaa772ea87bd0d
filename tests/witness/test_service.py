"""The service and its witnesses over real HTTP to real processes: fork, rollback, restored copies, replicas."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers import START
from witness_world import WitnessProcess, running_witness

from ledger.cosignature import read_cosignatures
from ledger.entry import Draft
from ledger.errors import ForkedError, HeadRolledBackError, LedgerError, WitnessedBeyondError
from ledger.ids import new_id
from sealing.clock import utc_now
from sealing.errors import InstallationError, NotWitnessedError
from sealing.settings import Settings
from sealing.witness_list import read_witnesses
from sealing.witness_states import witness_states
from sealing.witnessing import Witnessing, evidence
from sealing.workshop import Workshop, initialise, open_workshop


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "data"
    initialise(Settings(data=folder, unsafe_in_process_keys=True), utc_now())
    return folder


@pytest.fixture
def data(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture
def witness(data: Path, tmp_path: Path) -> Iterator[WitnessProcess]:
    with open_workshop(Settings(data=data, unsafe_in_process_keys=True)) as shop:
        identity = shop.identity
    with running_witness(tmp_path / "witness", identity) as running:
        (tmp_path / "witnesses").write_text(f"# ours\n\n{running.configuration}", encoding="utf-8")
        yield running


def settings(data: Path, *, needed: int = 0) -> Settings:
    return Settings(
        data=data,
        unsafe_in_process_keys=True,
        witnesses=data.parent / "witnesses",
        witnesses_needed=needed,
        outbound_networks=("127.0.0.0/8",),
        unsafe_outbound_http=True,
    )


@contextmanager
def service(data: Path, *, needed: int = 0) -> Iterator[Workshop]:
    with open_workshop(settings(data, needed=needed)) as shop:
        yield shop


def append(shop: Workshop, count: int = 1) -> int:
    for _ in range(count):
        with shop.database.write() as connection:
            draft = Draft(kind="test.entry", subjects=(new_id("tst"),), groups={"row": {"n": 1}})
            appended = shop.book.append(connection, draft, utc_now())
    return appended.index


def ask(shop: Workshop) -> None:
    Witnessing(shop, utc_now).ask(shop.witnesses)


def serve(data: Path) -> subprocess.CompletedProcess[str]:
    """Start the real server on ``data`` and wait until it gives up."""
    chosen = settings(data)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")} | {
        "YINXIN_DATA": str(data),
        "YINXIN_PORT": "0",
        "YINXIN_WITNESSES": str(chosen.witnesses),
        "YINXIN_OUTBOUND_NETWORKS": '["127.0.0.0/8"]',
        "YINXIN_UNSAFE_OUTBOUND_HTTP": "true",
    }
    return subprocess.run(
        [sys.executable, "-c", START], env=environment, capture_output=True, text=True, timeout=40, check=False
    )


def test_a_cosigned_head_stands_in_the_record_the_file_and_the_receipt(data: Path, witness: WitnessProcess) -> None:
    with service(data) as shop:
        index = append(shop, 3)
        ask(shop)
        append(shop, 2)
        ask(shop)
        shown = evidence(shop, index, ["row"], utc_now())
        (found,) = read_cosignatures(shown.checkpoint, [witness.identity])
        assert shown.check(shop.identity)[1].size == index + 1
        assert datetime.now(UTC) >= found.time
        with shop.database.read() as connection:
            last = shop.book.last_witnessed(connection)
        assert last is not None
        assert last.size == index + 3
        (state,) = witness_states(shop)
        assert (state.name, state.size, state.outcome, state.good) == (
            witness.identity.name,
            index + 3,
            "cosigned",
            True,
        )
        assert shop.book.audit() == []
    kept = (data / "last-cosigned").read_text(encoding="utf-8")
    assert read_cosignatures(kept, [witness.identity])
    assert kept.split("\n")[1] == str(index + 3)


def test_a_service_that_forgot_what_its_witness_knows_asks(data: Path, witness: WitnessProcess) -> None:
    with service(data) as shop:
        append(shop, 2)
        ask(shop)
        with shop.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM ledger_witnesses")
        append(shop, 5)
        ask(shop)
        assert [each.outcome for each in witness_states(shop)] == ["cosigned"]


@pytest.mark.parametrize("grown", [0, 1, 2, 5], ids=["behind", "still-behind", "beside", "beyond"])
def test_an_old_copy_of_database_and_files_is_refused_by_what_the_witness_knows(
    data: Path, witness: WitnessProcess, tmp_path: Path, grown: int
) -> None:
    """Everything of the service was put back; it may even have gone on since, without its witness."""
    with service(data) as shop:
        append(shop, 2)
        ask(shop)
    shutil.copytree(data, tmp_path / "copy")
    with service(data) as shop:
        append(shop, 2)
        ask(shop)
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "copy", data)
    expected = WitnessedBeyondError if grown < 2 else ForkedError
    with service(data) as shop:
        if grown:
            append(shop, grown)
        with pytest.raises(expected):
            Witnessing(shop, utc_now).start()
        with pytest.raises(expected):
            append(shop)
    ran = serve(data)
    assert ran.returncode != 0
    assert expected.__name__ in ran.stderr
    witness.process.kill()
    witness.process.wait(10)
    with service(data) as shop, pytest.raises(expected):
        Witnessing(shop, utc_now).start()  # what it said stands until it says otherwise


def test_the_file_alone_is_enough_to_notice_an_old_database(
    data: Path, witness: WitnessProcess, tmp_path: Path
) -> None:
    with service(data) as shop:
        append(shop)
    shutil.copy(data / "yinxin.db", tmp_path / "old.db")
    with service(data) as shop:
        append(shop, 2)
        ask(shop)
    for name in ("yinxin.db-wal", "yinxin.db-shm", "last-checkpoint"):
        (data / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.db", data / "yinxin.db")
    with pytest.raises(WitnessedBeyondError, match="witnesses have cosigned"), service(data):
        pass
    with pytest.raises(HeadRolledBackError), open_workshop(Settings(data=data, unsafe_in_process_keys=True)):
        pass  # not even a command without the list of witnesses


def test_a_running_process_notices_that_its_database_was_put_back(
    data: Path, witness: WitnessProcess, tmp_path: Path
) -> None:
    """A stale standby: another replica went on and was cosigned, this one still sees the old database."""
    other = tmp_path / "other"
    with service(data) as standby:
        append(standby)
        shutil.copytree(data, other)
        with service(other) as primary:
            append(primary, 2)
            ask(primary)
        shutil.copy(other / "last-cosigned", data / "last-cosigned")
        with pytest.raises(WitnessedBeyondError):
            append(standby)
        with pytest.raises(WitnessedBeyondError):
            ask(standby)


def test_two_replicas_share_a_witness(data: Path, witness: WitnessProcess) -> None:
    with service(data) as one, service(data) as two:
        for _ in range(3):
            append(one)
            ask(two)
            append(two, 2)
            ask(one)
        assert [each.outcome for each in witness_states(two)] == ["cosigned"]
        assert one.book.audit() == []


def test_no_receipt_before_enough_witnesses_have_cosigned(data: Path, witness: WitnessProcess) -> None:
    with service(data, needed=1) as shop:
        index = append(shop)
        shown = evidence(shop, index, ["row"], utc_now())
        assert read_cosignatures(shown.checkpoint, [witness.identity])
        witness.process.kill()
        witness.process.wait(10)
        assert evidence(shop, index, ["row"], utc_now()) == shown
        later = append(shop)
        with pytest.raises(NotWitnessedError) as caught:
            evidence(shop, later, ["row"], utc_now())
        assert caught.value.code == "not-witnessed"
        assert [each.outcome for each in witness_states(shop)] == ["outbound-unreachable"]


def test_a_witness_that_is_away_stops_nothing(data: Path, witness: WitnessProcess) -> None:
    witness.process.kill()
    witness.process.wait(10)
    with service(data) as shop:
        witnessing = Witnessing(shop, utc_now)
        witnessing.start()
        index = append(shop)
        assert read_cosignatures(evidence(shop, index, ["row"], utc_now()).checkpoint, [witness.identity]) == ()
        witnessing.stop()


def test_a_cosignature_changed_by_sql_counts_for_nothing_and_is_named(data: Path, witness: WitnessProcess) -> None:
    with service(data, needed=1) as shop:
        index = append(shop)
        ask(shop)
        with shop.database.write() as connection:
            connection.exec_driver_sql("UPDATE ledger_cosignatures SET line = replace(line, 'A', 'B')")
        assert shop.book.cosigned(index + 1) is None
        assert "cosignature-differs" in {each.code for each in shop.book.audit()}


def test_a_round_asks_only_what_is_due(data: Path, witness: WitnessProcess) -> None:
    with service(data) as shop:
        witnessing = Witnessing(shop, utc_now)
        append(shop)
        witnessing.round()
        asked = [each.asked for each in witness_states(shop)]
        witnessing.round()
        assert [each.asked for each in witness_states(shop)] == asked
        append(shop)
        witnessing.round()
        assert [each.asked for each in witness_states(shop)] != asked


@pytest.mark.parametrize(
    "listed",
    ["no key http://127.0.0.1:1", "{vkey}", "{vkey} ftp://host", "{vkey} http://a/\n{vkey} http://b/", ""],
    ids=["no-key", "no-url", "no-http", "twice", "too-few"],
)
def test_a_list_that_is_unclear_stops_the_start(tmp_path: Path, listed: str) -> None:
    vkey = "witness.example/w1+24b5d9fe+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY"
    (tmp_path / "witnesses").write_text(listed.format(vkey=vkey), encoding="utf-8")
    with pytest.raises(InstallationError):
        read_witnesses(tmp_path / "witnesses", needed=1)
    with pytest.raises((InstallationError, LedgerError)):
        read_witnesses(tmp_path / "none", needed=0)
