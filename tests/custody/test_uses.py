"""The record of key uses: chained, synced, repaired after a crash, and never on top of a changed one."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.errors import UsesBrokenError, UsesNotWrittenError
from custody.uses import FIRST, UseLine, UseRecord, line_digest, read_uses

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def opened(path: Path) -> tuple[UseRecord, list[UseLine]]:
    told: list[UseLine] = []
    return UseRecord.open(path, NOW, each=told.append), told


def filled(path: Path, count: int) -> bytes:
    record, _ = opened(path)
    for number in range(count):
        about: dict[str, Any] = {"serial": f"{number:x}"}
        record.append("use", NOW, key="file:ca-1", purpose="ca", message="sha256:00", about=about)
    record.close()
    return path.read_bytes()


def test_each_line_names_the_one_before(tmp_path: Path) -> None:
    filled(tmp_path / "uses", 3)
    lines = list(read_uses(tmp_path / "uses"))
    assert [each.n for each in lines] == [0, 1, 2]
    assert [each.previous for each in lines] == [FIRST, line_digest(lines[0]), line_digest(lines[1])]
    assert lines[1].time == "2026-11-24T09:00:00.000000Z"


def test_a_record_that_is_opened_again_goes_on(tmp_path: Path) -> None:
    filled(tmp_path / "uses", 2)
    record, told = opened(tmp_path / "uses")
    line = record.append("destruction", NOW, key="file:ca-1", purpose="ca", about={})
    record.close()
    assert [each.n for each in told] == [0, 1]
    assert list(read_uses(tmp_path / "uses"))[-1] == line


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    filled(tmp_path / "uses", 1)
    assert (tmp_path / "uses").stat().st_mode & 0o777 == 0o600


def test_a_line_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, _ = opened(tmp_path / "uses")
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda _: synced.append((tmp_path / "uses").stat().st_size))
    record.append("use", NOW)
    record.close()
    assert synced == [(tmp_path / "uses").stat().st_size]


@given(kept=st.integers(min_value=1, max_value=10_000))
def test_a_torn_last_line_is_cut_and_told(tmp_path_factory: pytest.TempPathFactory, kept: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "uses"
    whole = filled(path, 2)
    last = len(whole) - whole[:-1].rindex(b"\n") - 1
    torn = whole[: -(1 + kept % (last - 1))]  # from the newline alone to all but one byte of the line
    path.write_bytes(torn)
    record, told = opened(path)
    record.append("use", NOW)
    record.close()
    assert [(each.n, each.event) for each in told] == [(0, "use"), (1, "repair")]
    assert told[1].about["bytes"] == len(torn) - torn.rindex(b"\n") - 1
    assert [each.event for each in read_uses(path)] == ["use", "repair", "use"]


@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_any_changed_bit_of_a_line_that_is_not_the_last_is_found(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "uses"
    whole = bytearray(filled(path, 3))
    last_line = bytes(whole[:-1]).rindex(b"\n")
    whole[at % last_line] ^= 1 << bit
    path.write_bytes(whole)
    with pytest.raises(UsesBrokenError, match="does not follow"):
        list(read_uses(path))


@pytest.mark.parametrize("gone", [0, 1])
def test_a_line_taken_out_is_found(tmp_path: Path, gone: int) -> None:
    path = tmp_path / "uses"
    lines = filled(path, 3).splitlines(keepends=True)
    path.write_bytes(b"".join(line for number, line in enumerate(lines) if number != gone))
    with pytest.raises(UsesBrokenError):
        opened(path)


def test_a_write_that_fails_leaves_no_part_of_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "uses"
    before = filled(path, 1)
    record, _ = opened(path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        with pytest.raises(UsesNotWrittenError, match="not used"):
            record.append("use", NOW)
    assert path.read_bytes() == before
    record.append("use", NOW + timedelta(seconds=1))
    record.close()
    assert [each.n for each in read_uses(path)] == [0, 1]


def test_lines_are_found_from_any_number_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custody.uses._MARKED", 4)
    path = tmp_path / "uses"
    filled(path, 5)
    record, _ = opened(path)
    for _ in range(5):
        record.append("use", NOW)
    found = {n: [each.n for each in record.after(n, 3)] for n in (0, 3, 4, 7, 9, 10, 50)}
    record.close()
    assert found == {0: [0, 1, 2], 3: [3, 4, 5], 4: [4, 5, 6], 7: [7, 8, 9], 9: [9], 10: [], 50: []}
