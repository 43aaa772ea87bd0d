"""Hybrid-reference files (ISO 32000-2 7.5.8.4): a classic table plus a stream for what the table hides.

Word processors write them with an empty newest table, and those are read well. Where one section hides an
object in its table as free and shows it in its stream, the reader takes it for missing, and a catalog or
page written anew would silently lose its entry. Such a file is refused.
"""

import re
from mmap import ACCESS_READ, mmap
from pathlib import Path

from signer.errors import DocumentRejectedError

_SUBSECTION = re.compile(rb"[\0\t\n\f\r ]*(\d{1,10}) (\d{1,10})[\0\t\f ]*(?:\r\n|\r|\n)")
_TRAILER = re.compile(rb"[\0\t\n\f\r ]*trailer")
_PREVIOUS = re.compile(rb"/Prev[\0\t\n\f\r ]+(\d{1,12})")
_ENTRY_BYTES = 20
_MOST_SECTIONS = 1000


def refuse_hidden_objects(path: Path, startxref: int) -> None:
    """Follow the classic tables from ``startxref``.

    Raises :class:`DocumentRejectedError`: ``xref-hybrid`` as above, ``xref-damaged`` for tables that are
    not made of 20-byte entries.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        position: int | None = startxref
        for _ in range(_MOST_SECTIONS):
            if position is None or data[position : position + 4] != b"xref":
                return
            hides, trailer = _section(data, position)
            if hides and b"/XRefStm" in trailer:
                raise DocumentRejectedError(
                    "xref-hybrid",
                    "混合交叉引用表把对象标为空闲、又在交叉引用流中给出，无法可靠地追加",
                    "a hybrid cross-reference hides objects in its table and shows them in its stream",
                )
            previous = _PREVIOUS.search(trailer)
            position = int(previous[1]) if previous else None


def _section(data: mmap, position: int) -> tuple[bool, bytes]:
    """Whether a table has free entries beside that of object 0, and its trailer."""
    position, hides = position + 4, False
    while (trailer := _TRAILER.match(data, position)) is None:
        found = _SUBSECTION.match(data, position)
        if found is None:
            raise _damaged()
        first, count = int(found[1]), int(found[2])
        position = found.end() + _ENTRY_BYTES * count
        kinds = data[found.end() + 17 : position : _ENTRY_BYTES]
        hides = hides or b"f" in (kinds[1:] if first == 0 else kinds)
    # The reader has parsed this dictionary; two of its entries are all that is asked here.
    return hides, data[trailer.end() : data.find(b"startxref", trailer.end())]


def _damaged() -> DocumentRejectedError:
    return DocumentRejectedError(
        "xref-damaged", "交叉引用表格式不正确", "a cross-reference table is not written as the format asks"
    )
