"""The log's key signs one line of growth: no smaller tree, no second root of a size, no fork, no gap."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from checked_keystore import Checked
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from custody.checks import check_use
from custody.requests import KnownKey, UseRequest
from keystore.interface import GroundsError, Permit, Purpose, wants_grounds
from ledger.checkpoint import Checkpoint, LogIdentity
from ledger.merkle import CompactRange, range_over
from ledger.signed_note import SPKI_ED25519

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
KEY = bytes(range(32))
IDENTITY = LogIdentity(origin="test.example/log", public_key=KEY)


@dataclass
class Grown:
    """A state that knows what it signed last; see :class:`custody.requests.CheckState`."""

    signed: list[Mapping[str, Any]] = field(default_factory=list)
    learns: bool = True
    log: LogIdentity | None = IDENTITY
    pins: Path = Path("/nowhere")

    def last(self, purpose: Purpose) -> Mapping[str, Any] | None:
        return self.signed[-1] if self.signed and purpose == "log" else None

    def forgotten(self, purpose: Purpose) -> int:
        return -1

    def seen(self, purpose: Purpose, name: str, value: Any) -> bool:
        return any(each.get(name) == value for each in self.signed)

    def generated(self, purpose: Purpose) -> list[KnownKey]:
        return []

    def sign(self, leaves: list[bytes], start: int = 0, **changed: Any) -> Mapping[str, Any]:
        about = check_use(request(leaves, start, **changed), self, NOW)
        self.signed.append(about)
        return about

    def refused(self, leaves: list[bytes], start: int = 0, **changed: Any) -> str:
        with pytest.raises(GroundsError) as caught:
            self.sign(leaves, start, **changed)
        return caught.value.en


def leaves_of(number: int, salt: str = "") -> list[bytes]:
    return [sha256(f"{salt}{at}".encode()).digest() for at in range(number)]


def request(leaves: list[bytes], start: int = 0, **changed: Any) -> UseRequest:
    """The checkpoint over all of ``leaves``, with the hashes of those behind ``start``."""
    tree = range_over(leaves)
    body = Checkpoint(origin=IDENTITY.origin, size=len(leaves), root=tree.root()).body()
    grounds = {
        "from": start,
        "range": b64encode(range_over(leaves[:start]).to_bytes()).decode(),
        "leaves": b64encode(b"".join(leaves[start:])).decode(),
    }
    values: dict[str, Any] = {
        "key_ref": "file:log-1",
        "purpose": "log",
        "algorithm": "ed25519",
        "public_key": SPKI_ED25519 + KEY,
        "message": body.encode(),
        "grounds": grounds,
    }
    return UseRequest(**(values | changed))


def test_growth_is_signed_and_told() -> None:
    state = Grown()
    state.sign(leaves_of(3))
    told = state.sign(leaves_of(7), 3)
    assert (told["size"], told["root"]) == (7, range_over(leaves_of(7)).root().hex())
    assert told["range"] == [each.hex() for each in range_over(leaves_of(7)).hashes]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(0, 20))
def test_any_growth_is_signed_with_leaves_from_any_earlier_place(steps: list[int], behind: int) -> None:
    state, size = Grown(), 0
    for step in steps:
        start, size = max(0, size - behind), size + step
        assert state.sign(leaves_of(size), start)["root"] == range_over(leaves_of(size)).root().hex()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 40), st.data())
def test_a_tree_with_one_earlier_leaf_changed_is_never_signed(size: int, more: int, data: st.DataObject) -> None:
    state = Grown()
    state.sign(leaves_of(size))
    forked = leaves_of(size + more)
    at = data.draw(st.integers(0, size - 1))
    start = data.draw(st.integers(0, size))
    forked[at] = sha256(b"another").digest()
    assert state.refused(forked, start)


def test_a_smaller_tree() -> None:
    state = Grown()
    state.sign(leaves_of(8))
    assert "one of 8 was signed before" in state.refused(leaves_of(7))


def test_another_root_of_the_same_size() -> None:
    state = Grown()
    state.sign(leaves_of(8))
    assert state.sign(leaves_of(8), 8)["size"] == 8  # the same one again is no harm
    assert "computed from what was signed before" in state.refused(leaves_of(8, "x"), 8)


def test_a_gap() -> None:
    state = Grown()
    state.sign(leaves_of(4))
    assert "expected 4 to 9" in state.refused(leaves_of(9), 6)


def test_leaves_that_are_too_few_for_the_size() -> None:
    state = Grown()
    state.sign(leaves_of(4))
    grounds = request(leaves_of(8), 4).grounds
    assert "expected 4 to 9" in state.refused(leaves_of(9), 4, grounds=grounds)


@pytest.mark.parametrize(
    "changed",
    [
        {"grounds": None},
        {"grounds": {}},
        {"grounds": {"from": "0", "leaves": ""}},
        {"grounds": {"from": -1, "leaves": ""}},
        {"grounds": {"from": True, "leaves": ""}},
        {"grounds": {"from": 0, "leaves": "*"}},
        {"grounds": {"from": 0, "leaves": "AAAA"}},
    ],
    ids=["none", "empty", "text", "negative", "truth", "not-base64", "short"],
)
def test_leaves_that_did_not_come_along(changed: dict[str, Any]) -> None:
    assert "leaf hashes" in (said := Grown().refused(leaves_of(1), **changed)) or "did not come along" in said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"hello", "not the text of a checkpoint"),
        (b"\xff\n1\nx\n", "not the text of a checkpoint"),
        (f"other.example/log\n0\n{b64encode(CompactRange().root()).decode()}\n".encode(), "this log is"),
        (f"test.example/log\n0\n{b64encode(CompactRange().root()).decode()}\nmore\n".encode(), "says more"),
    ],
    ids=["text", "bytes", "origin", "extension"],
)
def test_what_is_not_a_checkpoint_of_this_log(message: bytes, said: str) -> None:
    assert said in Grown().refused([], message=message)


def test_another_log_key() -> None:
    assert "another log key" in Grown().refused([], public_key=SPKI_ED25519 + bytes(32))


def test_before_there_is_a_log_key() -> None:
    assert "no log key here" in Grown(log=None).refused([])


def test_a_record_begun_anew_takes_the_tree_it_is_told_and_watches_from_there() -> None:
    state = Grown()
    assert state.sign(leaves_of(100), 90)["size"] == 100
    assert state.refused(leaves_of(101, "x"), 100)
    assert Grown().refused(leaves_of(100), 90, grounds={"from": 90, "leaves": ""})


def test_the_book_finds_its_way_after_another_process_signed(checked: Checked) -> None:
    """What this process has stored is behind what was signed: the leaves reach further back."""
    shop = checked.shop
    assert wants_grounds(checked.keystore.open(shop.installation.log_key))
    first = checked.seal()
    size = checked.keystore.about("log")[-1]["size"]
    with shop.database.write() as connection:  # a replica signed this, and was killed before it stored it
        connection.execute(text("DELETE FROM ledger_checkpoints WHERE size > :size"), {"size": size - 3})
    assert checked.seal().entry > first.entry
    assert checked.keystore.about("log")[-1]["size"] > size


def test_a_checkpoint_of_our_own_making_is_refused_by_the_key(checked: Checked) -> None:
    key = checked.keystore.open(checked.shop.installation.log_key)
    origin = checked.shop.identity.origin
    message = Checkpoint(origin=origin, size=10_000, root=bytes(32)).body().encode()
    with pytest.raises(GroundsError):
        key.sign(Permit.to_sign(key, message), message)
