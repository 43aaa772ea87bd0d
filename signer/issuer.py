"""The end of an official document: who issued it (落款) and on which date (成文日期), as GB/T 9704 sets them.

What cannot be told is None, and the rule that needs it refuses: a wrong guess here would seal a document
that is issued in another organ's name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from signer.lines import Line, Rectangle, fold

_YEAR: Final = "(?:[12][0-9]{3}|[〇○零一二三四五六七八九]{4})"
_MONTH: Final = "(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY: Final = "(?:[12][0-9]|3[01]|0?[1-9]|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_DATE: Final = re.compile(f"{_YEAR}年{_MONTH}月{_DAY}日")

_CAPTION: Final = re.compile(r"\((?:加盖|盖|公|印|签)?(?:单位|机关)?(?:章|公章|印章)(?:处)?\)")
_ORGAN_LABEL: Final = re.compile(
    "^(?:(?:发证|发照|颁发|审批|核发|许可|批准|登记|签发|作出|实施)(?:行政)?(?:机关|单位|部门)(?:名称)?:?"
    "|(?:行政)?(?:机关|单位|部门)(?:名称)?:)"
)
_DATE_LABEL: Final = re.compile("(?:(?:发证|发照|颁发|审批|核发|许可|批准|登记|签发|作出|成文|发文)?日期|时间):?$")
_ORGAN: Final = re.compile(r"[\u3400-\u9fff〇\U00020000-\U0003ffff]{2,40}")
_ORGAN_END: Final = tuple("局府会处厅委办院所联队站心室部署司校团社关")
_NOT_BODY: Final = re.compile(r"\(?(?:此|本)页无正文.*|[-—–―·第共页of/0-9]*", re.IGNORECASE)


class _Page(Protocol):
    @property
    def index(self) -> int: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Date and issuer at the end of a document. ``page_index`` from 0; ``issuer`` is folded, None if unknown.

    ``has_body`` says whether the page carries text other than these two, page numbers and 此页无正文.
    """

    page_index: int
    date: Rectangle
    issuer: str | None
    has_body: bool


def closing(pages: Sequence[_Page], page: int | None = None) -> Closing | None:
    """The last date line of the document, or of ``page`` (from 1), with its issuer; None if there is none."""
    for sheet in reversed(pages):
        if page is not None and sheet.index != page - 1:
            continue
        for number in range(len(sheet.lines) - 1, -1, -1):
            found = _date_in(sheet.lines[number])
            if found is not None:
                return _closing(sheet, number, *found)
    return None


def _date_in(line: Line) -> tuple[Rectangle, str] | None:
    """Place of the date that ends ``line``, and the organ named before it ("" if none); None for other lines.

    A period of validity or a sentence that happens to end in a date is no date line.
    """
    matches = list(_DATE.finditer(line.folded))
    if not matches or _CAPTION.sub("", line.folded[matches[-1].end() :]):
        return None
    last = matches[-1]
    before = _organ_of(_DATE_LABEL.sub("", line.folded[: last.start()]))
    if before and not (_ORGAN.fullmatch(before) and before.endswith(_ORGAN_END)):
        return None
    return line.place(last.start(), last.end()), before


def _closing(sheet: _Page, number: int, date: Rectangle, beside: str) -> Closing:
    used = [] if beside else _issuer_lines(sheet.lines, number, date)
    issuer = beside or "".join(_organ_of(sheet.lines[each].folded) for each in used)
    first = min(used, default=number)
    body = any(not _NOT_BODY.fullmatch(line.folded) for line in sheet.lines[:first])
    return Closing(page_index=sheet.index, date=date, issuer=issuer or None, has_body=body)


def _issuer_lines(lines: Sequence[Line], number: int, date: Rectangle) -> list[int]:
    """The lines above the date that name its issuer, downwards: mostly one, two if the name is broken.

    A further line belongs to the name only if it stands close above, over the line below, and away from the
    left margin, where the body's lines begin.
    """
    used: list[int] = []
    below, margin = date, min(line.box.left for line in lines)
    for index in range(number - 1, -1, -1):
        line, gap = lines[index].box, below.top - lines[index].box.bottom
        organ = _organ_of(lines[index].folded)
        if gap > (1.0 if used else 3.0) * date.height:
            break
        if organ and not _ORGAN.fullmatch(organ):
            break
        if used and not (margin + 4 * date.height < line.left < below.right and below.left < line.right):
            break
        if organ:
            used.insert(0, index)
            below = line
    return used


def _organ_of(text: str) -> str:
    """``text``, which is folded, without （盖章） and without a label such as 发证机关：."""
    return _ORGAN_LABEL.sub("", fold(_CAPTION.sub("", text)))
