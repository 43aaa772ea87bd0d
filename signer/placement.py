"""Where a seal is to stand, as callers say it and as PDF needs it.

A caller says a :data:`Placement`: a position in millimetres, a keyword, the date line, or an existing
signature field, each with or without a seam seal (骑缝章). PDF needs a :class:`Spot`. The way between is
pure arithmetic here; what has to read the document's text is in ``signer.text``.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from signer.errors import PlacementError
from signer.page import MM_PER_POINT, PageGeometry

SEAM_PAGES: Final = (2, 20)
"""A seam seal needs two pages, and over more than twenty its slices would be too narrow to be read
together."""

_TOUCH_MM: Final = 0.01  # a seal that touches the edge of the page is on the page, whatever binary fractions say
_PAGES: Final = 100_000
_DECIMAL: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?", re.ASCII)
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seamed:
    """``seam`` adds a seam seal over all pages, its centre ``seam_y_mm`` below their top (None: midway)."""

    seam: bool = False
    seam_y_mm: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class At(_Seamed):
    """The centre of the seal on ``page`` (from 1), from the top left of the page as displayed."""

    kind: ClassVar[str] = "position"
    page: int
    x_mm: Decimal
    y_mm: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AtKeyword(_Seamed):
    """The centre of ``text``, such as （盖章）; ``occurrence`` (from 1) says which of several."""

    kind: ClassVar[str] = "keyword"
    text: str
    page: int | None = None
    occurrence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtDateLine(_Seamed):
    """Over issuer and date of the document, 骑年盖月 (GB/T 9704): the last date, or that of ``page``."""

    kind: ClassVar[str] = "date_line"
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtField(_Seamed):
    """The centre of the empty signature field with the full name ``name``."""

    kind: ClassVar[str] = "field"
    name: str


Placement = At | AtKeyword | AtDateLine | AtField


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where the face, or a slice of it, is drawn: a rectangle in user space of page ``page_index`` (from 0).

    User space is that of the page before /Rotate. The face is turned by ``rotation`` degrees
    counter-clockwise, so that it stands upright on the page as displayed. ``clip`` is the part of the
    upright face's width that is seen, from its left edge: (0, 1) is the whole seal.
    """

    page_index: int
    x: float
    y: float
    width: float
    height: float
    rotation: int
    clip: tuple[float, float] = (0.0, 1.0)


def spot_at(pages: Sequence[PageGeometry], page: int, centre_mm: tuple[float, float], diameter: float) -> Spot:
    """The whole seal of ``diameter`` points with its centre at ``centre_mm`` of ``page`` (from 1).

    Raises :class:`PlacementError`: page-out-of-range, box-off-page.
    """
    radius, (x_mm, y_mm) = diameter * MM_PER_POINT / 2, centre_mm
    return spot_on(pages, page, (x_mm - radius, y_mm - radius, x_mm + radius, y_mm + radius))


def seam_slices(pages: Sequence[PageGeometry], diameter: float, y_mm: Decimal | None = None) -> list[Spot]:
    """One slice a page, flush with the right edge: fanned out, the pages show the whole seal.

    ``y_mm`` is the centre of the seal below the top of each page, None for the middle. Raises
    :class:`PlacementError`: seam-page-count, box-off-page.
    """
    count, (least, most) = len(pages), SEAM_PAGES
    if not least <= count <= most:
        raise PlacementError(
            "seam-page-count",
            f"文件共{count}页，骑缝章应在{least}至{most}页之间",
            f"the document has {count} pages, a seam seal expects {least} to {most}",
        )
    across, slices = diameter * MM_PER_POINT, []
    for index, page in enumerate(pages):
        middle = page.height_mm / 2 if y_mm is None else float(y_mm)
        left, top = page.width_mm - across / count, middle - across / 2
        spot = spot_on(pages, index + 1, (left, top, page.width_mm, top + across))
        slices.append(dataclasses.replace(spot, clip=(index / count, (index + 1) / count)))
    return slices


def require_page(count: int, page: int) -> None:
    """Raise :class:`PlacementError` page-out-of-range unless ``page`` is 1 to ``count``."""
    if not 1 <= page <= count:
        raise PlacementError(
            "page-out-of-range",
            f"指定第{page}页，文件共{count}页",
            f"page {page} was asked for, expected 1 to {count}",
        )


def spot_on(pages: Sequence[PageGeometry], page: int, edges_mm: tuple[float, float, float, float]) -> Spot:
    """What stands between ``edges_mm`` (left, top, right, bottom) of ``page`` (from 1), as displayed.

    Raises :class:`PlacementError`: page-out-of-range, box-off-page.
    """
    require_page(len(pages), page)
    geometry, (left, top, right, bottom) = pages[page - 1], edges_mm
    width, height = geometry.width_mm, geometry.height_mm
    if min(left, top, width - right, height - bottom) < -_TOUCH_MM:
        raise PlacementError(
            "box-off-page",
            f"印章左{left:.1f}、上{top:.1f}、右{right:.1f}、下{bottom:.1f}毫米，超出第{page}页"
            f"（宽{width:.1f}、高{height:.1f}毫米）",
            f"the seal would reach from ({left:.1f}, {top:.1f}) to ({right:.1f}, {bottom:.1f}) mm, expected "
            f"inside page {page} of {width:.1f} × {height:.1f} mm",
        )
    (x0, y0), (x1, y1) = geometry.to_user_space(left, top), geometry.to_user_space(right, bottom)
    return Spot(
        page_index=page - 1,
        x=min(x0, x1),
        y=min(y0, y1),
        width=abs(x1 - x0),
        height=abs(y1 - y0),
        rotation=geometry.rotate,
    )


def parse_placement(value: object) -> Placement:
    """The placement that the JSON ``value`` says. Raises :class:`PlacementError` placement-malformed.

    ``{"kind": "position", "page": 1, "x_mm": "150", "y_mm": "230"}``, ``{"kind": "keyword", "text":
    "（盖章）"}``, ``{"kind": "date_line"}``, ``{"kind": "field", "name": "Seal"}``, each with ``"seam":
    true`` and ``seam_y_mm`` if wanted. Millimetres are whole numbers or decimal strings, never binary
    fractions, because approvals sign them.
    """
    if not isinstance(value, Mapping):
        raise _malformed("placement", value, "JSON对象", "a JSON object")
    shape = _KINDS.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    if shape is None:
        raise _malformed("kind", value.get("kind"), "、".join(_KINDS), ", ".join(_KINDS))
    fields = {field.name: field for field in dataclasses.fields(shape)}
    for name in value:
        if name not in fields and name != "kind":
            raise _malformed(str(name)[:40], value[name], "没有此字段", "no such field")
    for name, field in fields.items():
        if field.default is dataclasses.MISSING and name not in value:
            raise _malformed(name, None, "必填", "to be given")
    placement = shape(**{name: _READERS[name](name, value[name]) for name in fields if name in value})
    if placement.seam_y_mm is not None and not placement.seam:
        raise _malformed("seam_y_mm", str(placement.seam_y_mm), "仅与seam同用", "only with seam")
    return placement


def to_json(placement: Placement) -> dict[str, str | int | bool]:
    """The one JSON form of ``placement``: what is left at its default is left out, decimals are strings."""
    said: dict[str, str | int | bool] = {"kind": placement.kind}
    for field in dataclasses.fields(placement):
        value = getattr(placement, field.name)
        if value is None or value is False:
            continue
        said[field.name] = f"{value.normalize():f}" if isinstance(value, Decimal) else value
    return said


_KINDS: Final[dict[str, type[At | AtKeyword | AtDateLine | AtField]]] = {
    shape.kind: shape for shape in (At, AtKeyword, AtDateLine, AtField)
}


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _PAGES:
        raise _malformed(name, value, f"1至{_PAGES}的整数", f"a whole number from 1 to {_PAGES}")
    return value


def _millimetres(name: str, value: object) -> Decimal:
    written = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _DECIMAL.fullmatch(written):
        raise _malformed(
            name,
            value,
            "毫米数（整数或十进制字符串，至多三位小数）",
            "millimetres as an integer or a decimal string with up to three places",
        )
    return Decimal(written)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise _malformed(name, value, f"1至{_LONGEST}字的文字", f"a text of 1 to {_LONGEST} characters")
    if any(unicodedata.category(character).startswith("C") for character in value):
        raise _malformed(name, value, "不含控制字符的文字", "a text without control characters")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _malformed(name, value, "true或false", "true or false")
    return value


_READERS: Final[dict[str, Callable[[str, object], Any]]] = {
    "page": _whole,
    "occurrence": _whole,
    "x_mm": _millimetres,
    "y_mm": _millimetres,
    "seam_y_mm": _millimetres,
    "text": _text,
    "name": _text,
    "seam": _flag,
}


def _malformed(field: str, found: object, zh: str, en: str) -> PlacementError:
    shown = repr(found)[:60]
    return PlacementError(
        "placement-malformed",
        f"盖章位置的字段{field}为{shown}，应为：{zh}",
        f"placement field {field} is {shown}, expected {en}",
    )
