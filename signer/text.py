"""What a PDF says and where it says it; and from there the spots of a seal.

Runs in a worker process: the file is foreign, and PDFium is neither safe for threads nor free of memory
errors. Only what a reader can see counts: invisible, microscopic and off-page characters are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pypdfium2

from signer.errors import PlacementError
from signer.issuer import closing
from signer.lines import Line, fold, gather
from signer.page import MM_PER_POINT, PageGeometry, page_geometries, signature_field, unreadable
from signer.placement import At, AtDateLine, AtField, AtKeyword, Placement, Spot, require_page, spot_at
from signer.reader import read_characters

RIDE: Final = 0.145
"""How far the seal's centre stands above the date, by its diameter.

Issuer and date come to lie a little below the middle of the seal (GB/T 9704: 居印章中心偏下位置), the
date between star and title, so that both can be read.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The visible text of one page: ``text`` in the order of the content, ``lines`` as they are seen."""

    index: int
    text: str
    lines: tuple[Line, ...]


def page_texts(path: Path) -> list[PageText]:
    """The text of each page. Raises as ``page_geometries``."""
    geometries = page_geometries(path)
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise unreadable() from error
    try:
        return [_page_text(document, index, geometry) for index, geometry in enumerate(geometries)]
    finally:
        document.close()


def issuer_line(pages: Sequence[PageText]) -> str | None:
    """The 落款: the organ named above, or left of, the last date line; folded; None if there is none."""
    found = closing(pages)
    return found.issuer if found else None


def locate(path: Path, placement: Placement, diameter: float, *, texts: Sequence[PageText] | None = None) -> list[Spot]:
    """The spots of the whole seal of ``diameter`` points (seam slices apart). Raises :class:`PlacementError`.

    ``texts`` spares a second reading where the caller has the document's page_texts already.

    Codes: page-out-of-range, box-off-page, keyword-not-found, keyword-ambiguous, date-line-not-found,
    date-line-without-body, field-not-found, field-without-area.
    """
    geometries = page_geometries(path)
    page = getattr(placement, "page", None)
    if page is not None:
        require_page(len(geometries), page)
    match placement:
        case At():
            number, centre = placement.page, (float(placement.x_mm), float(placement.y_mm))
        case AtKeyword():
            number, centre = _keyword(texts or page_texts(path), placement)
        case AtDateLine():
            number, centre = _date_line(texts or page_texts(path), placement, diameter)
        case AtField():
            number, centre = _field(path, placement.name, geometries)
    return [spot_at(geometries, number, centre, diameter)]


def _keyword(pages: Sequence[PageText], placement: AtKeyword) -> tuple[int, tuple[float, float]]:
    wanted, nth = fold(placement.text), placement.occurrence
    found = [
        (page.index + 1, box.centre)
        for page in pages
        if placement.page in (None, page.index + 1)
        for line in page.lines
        for box in line.find(wanted)
    ]
    if len(found) < (nth or 1):
        raise PlacementError(
            "keyword-not-found",
            f"关键字“{placement.text}”出现{len(found)}次，应至少{nth or 1}次",
            f'the keyword "{placement.text}" stands {len(found)} times, expected at least {nth or 1}',
        )
    if nth is None and len(found) > 1:
        where = "、".join(str(page) for page, _ in found[:20])
        raise PlacementError(
            "keyword-ambiguous",
            f"关键字“{placement.text}”出现{len(found)}次（第{where}页），应为一次或指明第几次",
            f'the keyword "{placement.text}" stands {len(found)} times (pages {where}), '
            "expected once or an occurrence to be named",
        )
    return found[(nth or 1) - 1]


def _date_line(pages: Sequence[PageText], placement: AtDateLine, diameter: float) -> tuple[int, tuple[float, float]]:
    found = closing(pages, placement.page)
    if found is None:
        raise PlacementError(
            "date-line-not-found",
            "未找到成文日期，应有形如“2026年11月23日”的落款日期",
            "found no date line, expected a closing date such as 2026年11月23日",
        )
    if not found.has_body:
        raise PlacementError(
            "date-line-without-body",
            f"成文日期在第{found.page_index + 1}页，该页无正文，印章应与正文同页",
            f"the date line is on page {found.page_index + 1} without body text, expected it beside some",
        )
    x_mm, y_mm = found.date.centre
    return found.page_index + 1, (x_mm, y_mm - RIDE * diameter * MM_PER_POINT)


def _field(path: Path, name: str, geometries: Sequence[PageGeometry]) -> tuple[int, tuple[float, float]]:
    found = signature_field(path, name)
    if found is None:
        raise PlacementError(
            "field-not-found",
            f"未找到名为“{name}”的空签名域",
            f'found no field "{name}", expected an empty signature field of that name',
        )
    index, (left, bottom, right, top) = found
    if left == right or bottom == top:
        raise PlacementError(
            "field-without-area",
            f"签名域“{name}”的矩形没有面积，应为可见签名域",
            f'the field "{name}" has a rectangle without area, expected a visible field',
        )
    return index + 1, geometries[index].to_display((left + right) / 2, (bottom + top) / 2)


def _page_text(document: pypdfium2.PdfDocument, index: int, geometry: PageGeometry) -> PageText:
    page = document[index]
    textpage = page.get_textpage()
    try:
        letters, level = read_characters(textpage, geometry)
    finally:
        textpage.close()
        page.close()
    return PageText(index=index, text="".join(letters).replace("\r\n", "\n"), lines=gather(level))
