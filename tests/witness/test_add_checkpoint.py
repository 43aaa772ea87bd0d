"""The decisions of a witness, one by one, on a real state file and a real key."""

import os
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from ledger_world import NOON, LogKey
from witness_world import WITNESS, TreeLog

from ledger.cosignature import WitnessIdentity, merge, read_cosignatures
from witness.cosigner import Cosigner
from witness.errors import ConflictError, HomeError, RefusedError
from witness.state import State

KEY = LogKey(b"\x09" * 32)
IDENTITY = WitnessIdentity.of_key(WITNESS, KEY)
EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.fixture
def log() -> TreeLog:
    return TreeLog().grow(7)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    State.create(tmp_path / "state.json")
    return tmp_path / "state.json"


def asked(state: Path, log: TreeLog, body: bytes, now: datetime = NOON) -> str:
    """One request to a witness that has just been started."""
    cosigner = Cosigner(IDENTITY, KEY, {log.origin: log.identity}, State.read(state))
    return cosigner.add_checkpoint(body, lambda: now)


def refused(state: Path, log: TreeLog, body: bytes, now: datetime = NOON) -> tuple[int, str]:
    before = state.read_bytes()
    with pytest.raises(RefusedError) as caught:
        asked(state, log, body, now)
    assert state.read_bytes() == before
    return caught.value.status, caught.value.code


def test_it_cosigns_a_log_from_the_beginning_and_as_it_grows(state: Path, log: TreeLog) -> None:
    for old, size in ((0, 3), (3, 3), (3, 4), (4, 7)):
        line = asked(state, log, log.request(old, size))
        (found,) = read_cosignatures(merge(log.note(size), line), [IDENTITY])
        assert found.time == NOON
    assert State.read(state).last(log.origin).size == 7
    assert State.read(state).last(log.origin).note == log.note()


def test_the_empty_log_can_be_cosigned(state: Path) -> None:
    log = TreeLog()
    assert EMPTY in log.request(0).decode()
    assert asked(state, log, log.request(0)).startswith(f"— {WITNESS} ")


def test_another_old_size_is_answered_with_the_known_one(state: Path, log: TreeLog) -> None:
    asked(state, log, log.request(0, 5))
    for old in (0, 4, 6):
        with pytest.raises(ConflictError) as caught:
            asked(state, log, log.request(old))
        assert caught.value.size == 5


def test_a_log_that_was_rolled_back_or_forked_is_not_cosigned(state: Path, log: TreeLog) -> None:
    forked = TreeLog().grow(4).grow(9, "another")
    asked(state, log, log.request(0, 5))
    assert refused(state, log, log.request(4, 4)) == (409, "size-conflict")
    assert refused(state, log, forked.request(5, 5)) == (409, "root-conflict")
    assert refused(state, log, forked.request(5, 9)) == (422, "proof-invalid")
    assert refused(state, log, forked.request(0, 9)) == (409, "size-conflict")
    assert asked(state, log, log.request(5, 7))


def test_who_signed_is_judged_before_what_was_signed(state: Path, log: TreeLog) -> None:
    stranger = TreeLog(key=LogKey(b"\x08" * 32)).grow(3)
    unknown = TreeLog(origin="another.example/log").grow(3)
    assert refused(state, log, stranger.request(0)) == (403, "signature-invalid")
    assert refused(state, log, unknown.request(0)) == (404, "log-unknown")


def broken(request: bytes, old: str, new: str) -> bytes:
    text = request.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


HASH = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old 3\n", ""),
        ("old 3\n", "old 03\n"),
        ("old 3\n", "old -3\n"),
        ("old 3\n", "old 3 \n"),
        ("old 3\n", "old 8\n"),
        ("old 3\n", f"old 3\n{HASH[:-4]}\n"),
        ("old 3\n", "old 3\nnot base64\n"),
        ("old 3\n", "old 3\n" + f"{HASH}\n" * 61),
        ("\n\n", "\n"),
        ("\n7\n", "\n7x\n"),
        ("— ", "- "),
        ("— yinxin.example/log", "— \x00"),
    ],
    ids=[
        "no-old", "zeros", "negative", "blank", "above", "short-hash", "no-hash", "64-hashes", "no-blank-line",
        "size", "dash", "control",
    ],
)  # fmt: skip
def test_a_malformed_request_is_refused(state: Path, log: TreeLog, old: str, new: str) -> None:
    assert refused(state, log, broken(log.request(3), old, new)) == (400, "request-malformed")


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xff\xfe", b"old 0", b"old 0\n\n"])
def test_what_is_no_request_is_refused(state: Path, log: TreeLog, body: bytes) -> None:
    assert refused(state, log, body) == (400, "request-malformed")


def test_a_proof_too_much_or_too_little_is_refused(state: Path, log: TreeLog) -> None:
    assert refused(state, log, broken(log.request(0), "old 0\n", f"old 0\n{HASH}\n")) == (422, "proof-invalid")
    asked(state, log, log.request(0, 3))
    first = log.request(3).decode().split("\n")[1]
    assert refused(state, log, broken(log.request(3), f"{first}\n", "")) == (422, "proof-invalid")
    assert refused(state, log, broken(log.request(3), first, HASH)) == (422, "proof-invalid")


def test_a_clock_that_went_back_does_not_cosign(state: Path, log: TreeLog) -> None:
    asked(state, log, log.request(0, 3))
    assert refused(state, log, log.request(3), NOON - timedelta(seconds=1)) == (503, "clock-behind")
    assert asked(state, log, log.request(3), NOON)


def test_nothing_is_cosigned_that_is_not_on_disk(state: Path, log: TreeLog) -> None:
    uses = KEY.uses
    state.parent.chmod(0o500)
    try:
        if os.access(state.parent, os.W_OK):
            (state.parent / f".{state.name}.new").mkdir()  # root may write anywhere, but not over a folder
        assert refused(state, log, log.request(0)) == (503, "state-not-written")
    finally:
        state.parent.chmod(0o700)
    assert KEY.uses == uses


def test_of_two_forks_that_race_one_is_cosigned(state: Path, log: TreeLog) -> None:
    cosigner = Cosigner(IDENTITY, KEY, {log.origin: log.identity}, State.read(state))
    bodies = [TreeLog().grow(2).grow(3, f"fork {number}").request(0) for number in range(8)]
    done: list[str] = []

    def ask(body: bytes) -> None:
        with suppress(ConflictError):
            done.append(cosigner.add_checkpoint(body, lambda: datetime.now(UTC)))

    threads = [Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"d": "yinxin/witness-state/v1", "logs": {"a": {"size": 1}}}', '{"d": "x", "logs": {}}', "[]"],
)
def test_a_witness_that_forgot_does_not_start(state: Path, content: str) -> None:
    state.write_text(content, encoding="utf-8")
    with pytest.raises(HomeError, match="missing or damaged"):
        State.read(state)
    state.unlink()
    with pytest.raises(HomeError, match="missing or damaged"):
        State.read(state)
