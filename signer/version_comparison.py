"""Two versions of a document compared page by page, as a person sees them.

Pages are first paired by their pictures, so that an inserted page is told as one and not as a change of all that
follow. Runs in a worker process.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pypdfium2
from PIL import Image, ImageChops

from signer.errors import DocumentRejectedError
from signer.page import unreadable
from signer.page_pictures import Pictures, pictures
from signer.picture_comparison import differing_boxes

DPI: Final = 72
MOST_PAGES: Final = 300
_SMALL: Final = (48, 68)

Answer = dict[str, Any]


def compare_versions(before: Path, after: Path) -> Answer:
    """What the pages of ``after`` show otherwise than those of ``before``.

    What is answered, and raised, stands at :func:`signer.desk.compare_documents`.
    """
    try:
        with ExitStack() as both:
            old, new = (both.enter_context(pictures(path)) for path in (before, after))
            _require_few(max(old.count, new.count))
            return _compared(old, new)
    except pypdfium2.PdfiumError as error:
        raise unreadable() from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A page's picture: pages of one ``digest`` look the same; ``small`` tells how alike two others are."""

    digest: bytes
    small: Image.Image


def _compared(old: Pictures, new: Pictures) -> Answer:
    was, now = _looks(old), _looks(new)
    matcher = SequenceMatcher(a=[each.digest for each in was], b=[each.digest for each in now], autojunk=False)
    changed: list[Answer] = []
    added, removed = set(range(new.count)), set(range(old.count))
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        for index, other in _most_alike(was[start:end], now[new_start:new_end]):
            removed.discard(start + index)
            added.discard(new_start + other)
            if kind != "equal":
                changed += _difference(old, new, start + index, new_start + other)
    return {
        "pages_before": old.count,
        "pages_after": new.count,
        "changed": changed,
        "added": sorted(each + 1 for each in added),
        "removed": sorted(each + 1 for each in removed),
        "same": not (changed or added or removed),
    }


def _most_alike(old: Sequence[_Look], new: Sequence[_Look]) -> list[tuple[int, int]]:
    """Pairs of indexes in order, all of the shorter side, so that the pairs look as alike as they can."""
    if len(old) > len(new):
        return [(index, other) for other, index in _most_alike(new, old)]
    shifts = range(len(new) - len(old) + 1)
    costs, ways = [0] * len(shifts), []
    for index, page in enumerate(old):
        # A page's shift is that of the page before it or larger.
        way = [min(range(shift + 1), key=costs.__getitem__) for shift in shifts]
        costs = [costs[way[shift]] + _unlike(page, new[index + shift]) for shift in shifts]
        ways.append(way)
    shift, pairs = min(shifts, key=costs.__getitem__), []
    for index in reversed(range(len(old))):
        pairs.append((index, index + shift))
        shift = ways[index][shift]
    return pairs[::-1]


def _unlike(old: _Look, new: _Look) -> int:
    if old.digest == new.digest:
        return 0
    return sum(value * count for value, count in enumerate(ImageChops.difference(old.small, new.small).histogram()))


def _difference(old: Pictures, new: Pictures, index: int, other: int) -> list[Answer]:
    boxes = differing_boxes(old.render(index, DPI), new.render(other, DPI))
    if not boxes:
        return []
    parts = [
        {"x": left, "y": top, "width": round(right - left, 4), "height": round(bottom - top, 4)}
        for left, top, right, bottom in boxes
    ]
    return [{"before": index + 1, "after": other + 1, "boxes": parts}]


def _looks(shown: Pictures) -> list[_Look]:
    looks = []
    for index in range(shown.count):
        picture = shown.render(index, DPI)
        looks.append(
            _Look(
                digest=sha256(repr(picture.size).encode() + picture.tobytes()).digest(),
                small=picture.convert("L").resize(_SMALL, Image.Resampling.BOX),
            )
        )
    return looks


def _require_few(count: int) -> None:
    if count > MOST_PAGES:
        raise DocumentRejectedError(
            "too-many-pages-to-compare",
            f"文件共{count}页，逐页比较最多{MOST_PAGES}页",
            f"the document has {count} pages, versions of at most {MOST_PAGES} are compared",
        )
