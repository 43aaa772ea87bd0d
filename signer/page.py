"""Where a page's millimetres are: MediaBox, CropBox, Rotate and UserUnit brought to one geometry.

What a person sees is the CropBox, turned by Rotate; what a PDF is written in is user space, unturned. Here
is the way from the one to the other (ISO 32000-2, 7.7.3.3 and 8.3.2.3).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pikepdf

from signer.errors import DocumentRejectedError

MM_PER_POINT: Final = 25.4 / 72

_DEEPEST: Final = 50  # a tree of pages or fields that is deeper is a loop

Box = tuple[float, float, float, float]
"""left, bottom, right, top"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGeometry:
    """One page: its visible ``box`` in user space, ``rotate`` degrees clockwise, ``unit`` × 1/72 inch.

    Displayed positions are (x, y) in millimetres from the top left corner of the page as it is shown.
    """

    box: Box
    rotate: int = 0
    unit: float = 1.0

    @property
    def mm(self) -> float:
        """Millimetres in one unit of user space."""
        return MM_PER_POINT * self.unit

    @property
    def width_mm(self) -> float:
        """Width of the page as it is shown."""
        left, bottom, right, top = self.box
        return ((right - left) if self.rotate % 180 == 0 else (top - bottom)) * self.mm

    @property
    def height_mm(self) -> float:
        """Height of the page as it is shown."""
        left, bottom, right, top = self.box
        return ((top - bottom) if self.rotate % 180 == 0 else (right - left)) * self.mm

    def to_user_space(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """The point of user space that is shown at (``x_mm``, ``y_mm``)."""
        left, bottom, right, top = self.box
        x, y = x_mm / self.mm, y_mm / self.mm
        return {
            0: (left + x, top - y),
            90: (left + y, bottom + x),
            180: (right - x, bottom + y),
            270: (right - y, top - x),
        }[self.rotate]

    def to_display(self, x: float, y: float) -> tuple[float, float]:
        """Where the point (``x``, ``y``) of user space is shown, in millimetres from the top left."""
        left, bottom, right, top = self.box
        mm = MM_PER_POINT * self.unit
        if self.rotate == 0:
            return (x - left) * mm, (top - y) * mm
        if self.rotate == 90:  # noqa: PLR2004  right angles
            return (y - bottom) * mm, (x - left) * mm
        if self.rotate == 180:  # noqa: PLR2004  right angles
            return (right - x) * mm, (y - bottom) * mm
        return (top - y) * mm, (right - x) * mm


def page_geometries(path: Path) -> list[PageGeometry]:
    """The geometry of every page of the PDF at ``path``.

    Raises ``DocumentRejectedError``: text-unreadable, page-without-area.
    """
    try:
        with pikepdf.open(path) as pdf:
            return [geometry_of(page, number) for number, page in enumerate(pdf.pages, 1)]
    except pikepdf.PdfError as error:
        raise unreadable() from error


def unreadable() -> DocumentRejectedError:
    """What to raise for a file that neither of the two readers of this package can read."""
    return DocumentRejectedError(
        "text-unreadable",
        "文件的页面和文字无法读取，应为可读的PDF",
        "found no readable pages, expected a readable PDF",
    )


def geometry_of(page: pikepdf.Page, number: int) -> PageGeometry:
    """The geometry of ``page``, the ``number``-th. Raises ``DocumentRejectedError`` page-without-area."""
    media, crop = _ordered(page.mediabox), _ordered(page.cropbox)
    try:
        rotate, unit = int(_up(page.obj, "/Rotate") or 0), float(page.obj.get("/UserUnit", 1))
    except (TypeError, ValueError):
        rotate, unit = 0, 0.0
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    if box[0] >= box[2] or box[1] >= box[3] or rotate % 90 or unit <= 0:
        raise DocumentRejectedError(
            "page-without-area",
            f"第{number}页的可见区域为{box}、旋转{rotate}度、单位{unit}，应为有面积且按直角旋转的页面",
            f"page {number} shows {box}, turned by {rotate}, unit {unit}; expected an area, right angles",
        )
    return PageGeometry(box=box, rotate=rotate % 360, unit=unit)


def signature_field(path: Path, name: str) -> tuple[int, Box] | None:
    """Page index and rectangle of the empty signature field of that full name; None when missing."""
    with pikepdf.open(path) as pdf:
        for index, page in enumerate(pdf.pages):
            for widget in page.obj.get("/Annots", ()):
                if _is_empty_signature(widget) and _full_name(widget) == name:
                    return index, _ordered(widget.get("/Rect"))
    return None


def _is_empty_signature(widget: pikepdf.Object) -> bool:
    kind = _up(widget, "/FT")
    return kind is not None and kind == pikepdf.Name.Sig and _up(widget, "/V") is None


def _full_name(widget: pikepdf.Object) -> str:
    parts = [str(node["/T"]) for node in _line(widget) if "/T" in node]
    return ".".join(reversed(parts))


def _up(node: pikepdf.Object, key: str) -> pikepdf.Object | None:
    return next((each[key] for each in _line(node) if key in each), None)


def _line(node: pikepdf.Object | None) -> list[pikepdf.Object]:
    line: list[pikepdf.Object] = []
    while isinstance(node, pikepdf.Dictionary) and len(line) < _DEEPEST:
        line.append(node)
        node = node.get("/Parent")
    return line


def _ordered(values: Any) -> Box:  # noqa: ANN401  whatever the file has there
    """The box with its lower left corner first; without area where the file has no four numbers."""
    try:
        left, bottom, right, top = (float(value) for value in values)
    except (TypeError, ValueError):
        return 0.0, 0.0, 0.0, 0.0
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)
