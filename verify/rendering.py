"""The pages as they were signed and as they look now, compared as pictures.

The structure is compared elsewhere; this is what a person would see, made by another program (PDFium) that reads the
file in its own way. Nothing is compared where nothing stands behind the signature.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pikepdf
import pypdfium2
from PIL import Image, ImageChops

from signer.page import Box
from signer.page_pictures import Pictures
from signer.picture_comparison import MOST_BOXES, WHOLE, PixelBox, differing_boxes
from verify.changes import (
    ANNOTATING,
    ANNOTATIONS,
    NO_CHANGES,
    differences,
    nothing_follows,
    permitted_kinds,
    permitted_level,
)
from verify.object_comparison import TooMuchToCompareError
from verify.page_pictures import pictures
from verify.pdf_syntax import FileBytes
from verify.signature_reading import PARSER_ERRORS, Reading, Signatures
from verify.verdict import Finding, doubt, failure, note

DPI = 96
MOST_PAGES = 200
_INK = 128  # darker is ink
_LOST_SHARE = 0.5
_FEWEST_INK = 20  # pixels: less is a speck


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDifference:
    """A page that looks different: where, as left, top, right, bottom in parts of the page's size."""

    number: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureComparison:
    """``covered``: pages on which a permitted later signature hides what was printed under it."""

    differences: tuple[PageDifference, ...]
    covered: tuple[int, ...]
    compared: int
    pages: int


def compare(
    data: FileBytes,
    length: int,
    *,
    explained: Mapping[int, Sequence[Box]] | None = None,
    first: Iterable[int] = (),
) -> PictureComparison:
    """Compare the pages of the first ``length`` bytes of a file with those of the whole file.

    ``explained``: rectangles of user space by page number where a permitted change may show (a later signature, a
    form field). ``first``: pages to compare in any case; of more than 200 pages the others are sampled evenly.
    Raises ``pypdfium2.PdfiumError``, ``ValueError`` and ``MemoryError`` for what cannot be rendered.
    """
    with pictures(data, length) as before, pictures(data) as after:
        chosen = chosen_pages(max(before.count, after.count), first)
        explained = explained or {}
        differences, covered = [], []
        for number in chosen:
            found, hides = _page(before, after, number, explained.get(number, ()))
            if found:
                differences.append(PageDifference(number=number, boxes=found))
            if hides:
                covered.append(number)
        return PictureComparison(
            differences=tuple(differences),
            covered=tuple(covered),
            compared=len(chosen),
            pages=max(before.count, after.count),
        )


def chosen_pages(pages: int, first: Iterable[int] = (), most: int = MOST_PAGES) -> list[int]:
    """Page numbers to look at: ``first``, then others evenly, at most ``most``."""
    chosen = sorted({each for each in first if 1 <= each <= pages})[:most]
    left = [number for number in range(1, pages + 1) if number not in set(chosen)]
    room = min(most - len(chosen), len(left))
    return sorted([*chosen, *(left[index * len(left) // room] for index in range(room))])


def judge_rendering(data: FileBytes, signatures: Signatures) -> tuple[Finding, ...]:
    """What can be seen to differ from what was signed: since the first signature, and since the first that locks.

    Nothing when nothing follows. A later signature and a filled field may show where the signature permits them.
    """
    first = signatures.readings[:1]
    try:
        locking = [each for each in signatures.readings if permitted_level(each) == NO_CHANGES][:1]
    except PARSER_ERRORS as error:
        return (_not_compared(type(error).__name__),)
    bases = first if locking in ([], [*first]) else [*first, *locking]
    return tuple(
        finding for base in bases if not nothing_follows(data, base) for finding in _judge_since(data, base, signatures)
    )


def _judge_since(data: FileBytes, base: Reading, signatures: Signatures) -> tuple[Finding, ...]:
    try:
        explained, first = _explained(data, base, signatures)
        found = compare(data, base.written.covered_end, explained=explained, first=first)
    except (*PARSER_ERRORS, pikepdf.PdfError, pypdfium2.PdfiumError, TooMuchToCompareError, MemoryError) as error:
        return (_not_compared(type(error).__name__),)
    sampled = () if found.compared >= found.pages else (_sampled(found),)
    return (*sampled, *_looks_different(found), *_covering(found))


def _explained(data: FileBytes, base: Reading, signatures: Signatures) -> tuple[dict[int, list[Box]], set[int]]:
    """Where a permitted change may show, by page, and the pages on which anything changed."""
    changes = differences(data, base, signatures)
    level = permitted_level(base)
    permitted = permitted_kinds(level) | (ANNOTATING if level == ANNOTATIONS else frozenset())
    shown: dict[int, list[Box]] = {}
    for change in changes:
        if change.kind in permitted and change.page and change.box:
            shown.setdefault(change.page, []).append(change.box)
    return shown, {change.page for change in changes if change.page}


def _page(before: Pictures, after: Pictures, number: int, explained: Sequence[Box]) -> tuple[tuple[Box, ...], bool]:
    index = number - 1
    if index >= before.count or index >= after.count:
        return (WHOLE,), False
    old, new = before.render(index, DPI), after.render(index, DPI)
    if old.size != new.size:
        return (WHOLE,), False
    shown = [_pixels(after.shown_at(index, box), old.size) for box in explained]
    return differing_boxes(old, new, shown), any(_ink_lost(old, new, box) for box in shown)


def _pixels(part: Box, size: tuple[int, int]) -> PixelBox:
    width, height = size
    left, top, right, bottom = part
    return int(left * width) - 1, int(top * height) - 1, int(right * width) + 1, int(bottom * height) + 1


def _ink_lost(old: Image.Image, new: Image.Image, box: PixelBox) -> bool:
    """Whether most of what was dark inside ``box`` is not dark any more: something opaque was put over it."""
    was, is_now = (_ink(each.crop(box)) for each in (old, new))
    dark = was.histogram()[255]
    kept = ImageChops.darker(was, is_now).histogram()[255]
    return dark >= _FEWEST_INK and dark - kept > dark * _LOST_SHARE


def _ink(picture: Image.Image) -> Image.Image:
    """White where the darkest colour is ink; a red seal over black text leaves it dark in green and blue."""
    red, green, blue = picture.split()
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    return darkest.point(lambda value: 255 if value < _INK else 0)


def _looks_different(found: PictureComparison) -> tuple[Finding, ...]:
    if not found.differences:
        return ()
    numbers = [str(each.number) for each in found.differences]
    shown = "、".join(numbers[:MOST_BOXES]) + ("等" if len(numbers) > MOST_BOXES else "")
    listed = ", ".join(numbers[:MOST_BOXES]) + (" and more" if len(numbers) > MOST_BOXES else "")
    return (
        failure(
            "looks_different",
            f"现在看到的与签名时不同：第{shown}页",
            f"what is seen now differs from what was signed: page {listed}",
        ),
    )


def _covering(found: PictureComparison) -> tuple[Finding, ...]:
    return tuple(
        doubt(
            "signature_covers_content",
            f"第{number}页：后加的签名、表单域或批注盖住了原有内容",
            f"page {number}: a later signature, form field or annotation hides what had been there",
        )
        for number in found.covered[:MOST_BOXES]
    )


def _sampled(found: PictureComparison) -> Finding:
    return note(
        "rendering_sampled",
        f"共{found.pages}页，抽取{found.compared}页与签名时的画面比较",
        f"of {found.pages} pages, {found.compared} were compared with what was signed, as pictures",
    )


def _not_compared(kind: str) -> Finding:
    return doubt(
        "rendering_not_compared",
        f"签名之后有追加内容，而页面画面无法比较（{kind}）",
        f"something was appended after the signature, and the pages could not be compared as pictures ({kind})",
    )
