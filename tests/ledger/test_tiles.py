"""Tiles: paths as C2SP tlog-tiles writes them, and bytes from which a reader builds the same tree."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import World

from ledger.entry import Draft
from ledger.errors import EntryNotFoundError, RecordBrokenError
from ledger.merkle import CompactRange, leaf_hash, node_hash
from ledger.tiles import TilePath, tile


@pytest.mark.parametrize(
    ("path", "level", "number", "width"),
    [
        ("tile/0/000", 0, 0, 256),
        ("tile/63/999", 63, 999, 256),
        ("tile/1/x001/000", 1, 1000, 256),
        ("tile/0/x001/x234/067", 0, 1_234_067, 256),
        ("tile/0/x001/x234/067.p/1", 0, 1_234_067, 1),
        ("tile/entries/003.p/255", None, 3, 255),
        ("tile/entries/x003/003", None, 3003, 256),
    ],
)
def test_paths_are_read_and_written(path: str, level: int | None, number: int, width: int) -> None:
    parsed = TilePath.parse(path)
    assert (parsed.level, parsed.number, parsed.width) == (level, number, width)
    assert str(parsed) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/0", "tile/0/00", "tile/0/0000", "/tile/0/000", "tile/0/000/", "tile/00/000",
        "tile/64/000", "tile/-1/000", "tile/0/x000/000", "tile/0/x1/000", "tile/0/001/000", "tile/0/000.p/0",
        "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/-1", "tile/0/000.p", "tile/0/000.p/", "tile/data/000",
        "tile/entries", "tile/0/../000", "tile/0/%30%30%30", "tile/0/٠٠٠", "tile/0/000\n", "TILE/0/000",
        "tile/0/" + "x999/" * 7 + "999",
    ],
)  # fmt: skip
def test_other_paths_are_not_found(path: str) -> None:
    with pytest.raises(EntryNotFoundError):
        TilePath.parse(path)


@given(st.none() | st.integers(0, 63), st.integers(0, 10**18), st.integers(1, 256))
def test_every_tile_has_one_path(level: int | None, number: int, width: int) -> None:
    path = TilePath(level=level, number=number, width=width)
    assert TilePath.parse(str(path)) == path


@pytest.fixture
def grown(world: World) -> World:
    """A record of 600 entries, appended in one transaction."""
    with world.database.write() as connection:
        for number in range(600):
            world.book.append(connection, Draft(kind="a.b", subjects=(), groups={"row": number}), world.now)
    return world


def fetch(world: World, path: str, size: int) -> bytes:
    with world.database.read() as connection:
        return tile(connection, TilePath.parse(path), size)


def hashes(data: bytes) -> list[bytes]:
    assert len(data) % 32 == 0
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def entries(data: bytes) -> list[bytes]:
    found, start = [], 0
    while start < len(data):
        length = int.from_bytes(data[start : start + 2])
        found.append(data[start + 2 : start + 2 + length])
        start += 2 + length
    return found


def test_a_reader_of_tiles_comes_to_the_signed_root(grown: World) -> None:
    signed = grown.book.checkpoint(grown.now, 600)
    leaves = [
        leaf
        for path in ("tile/entries/000", "tile/entries/001", "tile/entries/002.p/88")
        for leaf in entries(fetch(grown, path, 600))
    ]
    bottom = [
        each for path in ("tile/0/000", "tile/0/001", "tile/0/002.p/88") for each in hashes(fetch(grown, path, 600))
    ]
    assert [sha256(b"\x00" + leaf).digest() for leaf in leaves] == bottom
    tree = CompactRange()
    for each in bottom:
        tree, _ = tree.append(each)
    assert tree.root() == signed.root


def test_a_hash_of_a_higher_tile_is_the_root_of_the_tile_below(grown: World) -> None:
    upper = hashes(fetch(grown, "tile/1/000.p/2", 600))
    for number, root in enumerate(upper):
        level = hashes(fetch(grown, f"tile/0/{number:03d}", 600))
        while len(level) > 1:
            level = [node_hash(*level[start : start + 2]) for start in range(0, len(level), 2)]
        assert level == [root]


def test_a_partial_tile_is_the_beginning_of_the_full_one(grown: World) -> None:
    full = fetch(grown, "tile/0/000", 600)
    assert fetch(grown, "tile/0/000.p/17", 600) == full[: 17 * 32]
    assert entries(fetch(grown, "tile/entries/000.p/3", 600)) == entries(fetch(grown, "tile/entries/000", 600))[:3]


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("tile/0/002", 600), ("tile/0/002.p/89", 600), ("tile/1/000.p/3", 600), ("tile/1/000", 600),
        ("tile/2/000.p/1", 600),
        ("tile/0/000", 255), ("tile/entries/000.p/5", 4), ("tile/entries/x001/000", 600), ("tile/0/000.p/1", 0),
    ],
)  # fmt: skip
def test_what_a_tree_of_that_size_has_not_is_not_found(grown: World, path: str, size: int) -> None:
    with pytest.raises(EntryNotFoundError):
        fetch(grown, path, size)


def test_a_tile_is_hashed_from_the_leaves_and_not_from_the_column(grown: World) -> None:
    before = fetch(grown, "tile/0/000.p/5", 600)
    grown.sql("UPDATE ledger_entries SET leaf_hash = :hash", hash=leaf_hash(b"other"))
    assert fetch(grown, "tile/0/000.p/5", 600) == before


def test_a_tile_with_rows_gone_is_broken(grown: World) -> None:
    grown.sql('DELETE FROM ledger_entries WHERE "index" = 4')
    grown.sql('DELETE FROM ledger_nodes WHERE level = 8 AND "index" = 1')
    for path in ("tile/entries/000", "tile/0/000", "tile/1/000.p/2"):
        with pytest.raises(RecordBrokenError):
            fetch(grown, path, 600)
