"""Entries: bytes that never change, openings that fit or do not, and what may not be drafted."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import JsonValue, canonical
from ledger.entry import LEAF_LIMIT, Draft, Leaf, Opening, prepare
from ledger.errors import DraftError, NotCanonicalError, ProofError, RecordBrokenError
from ledger.ids import is_id, new_id
from ledger.merkle import leaf_hash
from ledger.moments import from_text, to_text

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "ledger" / "entries.json").read_text(encoding="utf-8"))
MOMENT = from_text("2026-11-23T09:00:00.000000Z")
SUBJECT = "sea-" + "b" * 26


def a_draft(**changes: object) -> Draft:
    return Draft(**{"kind": "seal.issue", "subjects": (SUBJECT,), "groups": {"row": {"n": 1}}, **changes})


def a_leaf() -> Leaf:
    return prepare(a_draft(), new_id("ent"), MOMENT)[0]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_bytes_of_an_entry_never_change(vector: dict[str, Any]) -> None:
    openings = [
        Opening(group=each["group"], salt=bytes.fromhex(each["salt"]), value=each["value"])
        for each in vector["openings"]
    ]
    leaf = Leaf(
        kind=vector["kind"],
        time=from_text(vector["time"]),
        id=vector["id"],
        subjects=tuple(vector["subjects"]),
        commitments={opening.group: opening.commitment() for opening in openings},
    )
    assert [opening.commitment() for opening in openings] == [each["commitment"] for each in vector["openings"]]
    assert leaf.to_bytes().hex() == vector["leaf"]
    assert leaf_hash(leaf.to_bytes()).hex() == vector["leaf_hash"]
    assert Leaf.from_bytes(bytes.fromhex(vector["leaf"])) == leaf
    for opening in openings:
        leaf.check(opening)


def test_a_leaf_shows_nothing_of_a_value() -> None:
    leaf, _ = prepare(a_draft(groups={"persons": {"name": "张三", "role": "seal user"}}), new_id("ent"), MOMENT)
    assert "张三".encode() not in leaf.to_bytes()
    assert b"seal user" not in leaf.to_bytes()


def test_the_same_value_gets_another_commitment_each_time() -> None:
    first, second = (prepare(a_draft(), new_id("ent"), MOMENT) for _ in range(2))
    assert first[0].commitments != second[0].commitments
    assert len(first[1][0].salt) == 32


@pytest.mark.parametrize(
    "changes", [{"salt": bytes(32)}, {"value": {"n": 2}}, {"group": "other"}], ids=["salt", "value", "group"]
)
def test_an_opening_that_was_changed_does_not_fit(changes: dict[str, Any]) -> None:
    leaf, (opening,) = prepare(a_draft(), new_id("ent"), MOMENT)
    leaf.check(opening)
    members = {"group": opening.group, "salt": opening.salt, "value": opening.value}
    with pytest.raises(ProofError):
        leaf.check(Opening(**{**members, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""}, {"kind": "Seal"}, {"kind": "seal issue"}, {"kind": "seal."}, {"kind": "印章"}, {"kind": "a" * 50},
        {"groups": {"张三": 1}}, {"groups": {"": 1}},
        {"subjects": ("张三",)}, {"subjects": ("sea-short",)}, {"subjects": ("",)},
        {"subjects": (SUBJECT.upper(),)}, {"subjects": (SUBJECT, SUBJECT)},
    ],
    ids=repr,
)  # fmt: skip
def test_a_draft_with_other_names_or_ids_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DraftError) as refusal:
        a_draft(**changes)
    assert refusal.value.zh
    assert refusal.value.en


def test_a_value_outside_canonical_json_is_refused() -> None:
    with pytest.raises(NotCanonicalError):
        prepare(a_draft(groups={"row": {"volume": 22.5}}), new_id("ent"), MOMENT)


def test_a_leaf_that_no_bundle_holds_is_refused() -> None:
    many = tuple(new_id("sea") for _ in range(2200))
    leaf, _ = prepare(a_draft(subjects=many), new_id("ent"), MOMENT)
    with pytest.raises(DraftError, match=str(LEAF_LIMIT)):
        leaf.to_bytes()


def members() -> dict[str, Any]:
    return json.loads(a_leaf().to_bytes())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2), ("v", True), ("v", "1"), ("kind", "Seal"), ("kind", 1), ("time", "2026-11-23T09:00:00Z"),
        ("time", "2026-13-23T09:00:00.000000Z"), ("time", 0), ("id", "ent-1"), ("id", None), ("subjects", "sea"),
        ("subjects", [1]), ("subjects", [SUBJECT, SUBJECT]), ("subjects", [["x"]]), ("commitments", []),
        ("commitments", {"row": "AB" * 32}), ("commitments", {"row": 1}), ("commitments", {"R": "ab" * 32}),
        ("extra", 1),
    ],
)  # fmt: skip
def test_canonical_bytes_that_are_no_entry_are_refused(name: str, value: JsonValue) -> None:
    with pytest.raises(RecordBrokenError):
        Leaf.from_bytes(canonical({**members(), name: value}))


@pytest.mark.parametrize("name", ["v", "kind", "time", "id", "subjects", "commitments"])
def test_an_entry_without_a_member_is_refused(name: str) -> None:
    with pytest.raises(RecordBrokenError):
        Leaf.from_bytes(canonical({key: value for key, value in members().items() if key != name}))


@given(st.data())
def test_no_flipped_bit_gives_the_same_entry(data: st.DataObject) -> None:
    leaf = a_leaf()
    written = bytearray(leaf.to_bytes())
    bit = data.draw(st.integers(min_value=0, max_value=len(written) * 8 - 1))
    written[bit // 8] ^= 1 << bit % 8
    with suppress(RecordBrokenError):
        assert Leaf.from_bytes(bytes(written)) != leaf


def test_ids_are_opaque_and_never_twice_the_same() -> None:
    ids = {new_id("sea") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(is_id(each) and each.startswith("sea-") and len(each) == 30 for each in ids)
    assert not is_id("sea-" + "1" * 26)  # base32 has no 1
    assert not is_id(SUBJECT + "\n")
    for prefix in ("", "a", "Sea", "sea-", "x" * 13):
        with pytest.raises(ValueError, match="prefix"):
            new_id(prefix)


@given(st.datetimes(timezones=st.timezones()))
def test_moments_read_back_and_sort_as_text(moment: datetime) -> None:
    try:
        written = to_text(moment)
    except OverflowError:  # a moment of year 1 or 9999 that UTC has no date for
        return
    assert from_text(written) == moment.astimezone(UTC)
    assert len(written) == 27


def test_moments_are_written_in_utc_and_naive_ones_refused() -> None:
    beijing = timezone(timedelta(hours=8))
    assert to_text(datetime(2026, 11, 23, 17, 0, tzinfo=beijing)) == "2026-11-23T09:00:00.000000Z"
    with pytest.raises(ValueError, match="time zone"):
        to_text(datetime(2026, 11, 23, 17, 0))  # noqa: DTZ001  naive on purpose
    for text in (
        "2026-11-23T09:00:00Z",
        "2026-11-23T09:00:00.0Z",
        "2026-11-23 09:00:00.000000Z",
        "２026-11-23T09:00:00.000000Z",
    ):
        with pytest.raises(ValueError, match=r"2026|２026"):
            from_text(text)
