"""Tiles: the tree and its entries as C2SP tlog-tiles, so that public tools can read and monitor the log.

A hash tile holds up to 256 hashes of tree level 8 * L, an entry bundle up to 256 leaves; the last of each
level is partial and names its width. Which size is public is the caller's word: that of a signed
checkpoint.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger import store
from ledger.errors import EntryNotFoundError, RecordBrokenError
from ledger.merkle import Node, leaf_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_PADDED = "x000/"  # a number never begins with a group of zeros


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePath:
    """One tile: ``level`` is None for an entry bundle; ``width`` is 256 for a full tile."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    @classmethod
    def parse(cls, path: str) -> "TilePath":
        """Read ``tile/<L>/<N>[.p/<W>]`` or ``tile/entries/<N>[.p/<W>]``.

        Raises :class:`EntryNotFoundError`.
        """
        match = _PATH.fullmatch(path) if path.isascii() else None
        if match is None or match["number"].startswith(_PADDED):
            raise _not_found()
        width = int(match["width"] or TILE_WIDTH)
        if match["width"] and width >= TILE_WIDTH:
            raise _not_found()
        level = None if match["level"] == "entries" else int(match["level"])
        return cls(level=level, number=int(re.sub("[x/]", "", match["number"])), width=width)

    def __str__(self) -> str:
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{number}{partial}"


def tile(connection: Connection, path: TilePath, size: int) -> bytes:
    """The bytes of a tile of the tree of ``size`` entries.

    Raises :class:`EntryNotFoundError` when that tree has not so many, :class:`RecordBrokenError` when rows
    are gone.
    """
    level = (path.level or 0) * TILE_HEIGHT
    start = path.number * TILE_WIDTH
    end = start + path.width
    if end > size >> level:
        raise _not_found()
    if path.level is None:
        return b"".join(len(leaf).to_bytes(2) + leaf for leaf in store.leaves(connection, start, end))
    if level == 0:
        return b"".join(leaf_hash(leaf) for leaf in store.leaves(connection, start, end))
    return _hashes(connection, [Node(level, position) for position in range(start, end)])


def _hashes(connection: Connection, nodes: list[Node]) -> bytes:
    known = store.read_nodes(connection, nodes)
    for node in nodes:
        if node not in known:
            raise RecordBrokenError(
                f"缺少第 {node.level} 层第 {node.position} 个树节点",
                f"tree node {node.position} of level {node.level} is missing",
            )
    return b"".join(known[node] for node in nodes)


def _not_found() -> EntryNotFoundError:
    return EntryNotFoundError("没有这一块；应为 C2SP tlog-tiles 路径", "no such tile; a C2SP tlog-tiles path expected")
