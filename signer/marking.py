"""Brings a check mark and a blank place beside its seal together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from signer.blank_place import blank_page
from signer.check_mark import CheckMark, Drawing, drawings
from signer.errors import PlacementError
from signer.lines import Rectangle
from signer.page import PageGeometry, geometry_of
from signer.placement import Spot, spot_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """A check mark with its place: ``place`` on ``page`` (from 1) as displayed, ``spot`` in user space."""

    drawing: Drawing
    page: int
    place: Rectangle
    spot: Spot

    def to_json(self) -> dict[str, str | int]:
        """Form, page, and its place in millimetres from the top left, as decimal texts."""
        left, top, right, bottom = self.place
        measures = {"x_mm": left, "y_mm": top, "width_mm": right - left, "height_mm": bottom - top}
        return {"form": self.drawing.form, "page": self.page} | {key: f"{mm:.1f}" for key, mm in measures.items()}


def mark_beside(path: Path, mark: CheckMark, spots: Sequence[Spot]) -> Marking:
    """Where ``mark`` stands in the PDF at ``path``, and how it is drawn.

    The seal stands at the first of ``spots``, and none of them is drawn over. Raises ``PlacementError``
    (``no-room-for-check-mark``), ``MissingGlyphError``, ``SignerError`` (``check-address-too-long``).
    """
    index = spots[0].page_index
    with pikepdf.open(path, inherit_page_attributes=False) as pdf:
        pages = [geometry_of(page, number) for number, page in enumerate(pdf.pages, 1)]
        annotated = list(_annotated(pdf.pages[index], pages[index]))
    sealed = [displayed(spot, pages[index]) for spot in spots if spot.page_index == index]
    page = blank_page(path, index, pages[index], [*sealed, *annotated])
    for drawing in drawings(mark):
        place = page.place(sealed[0], drawing.width_mm, drawing.height_mm)
        if place:
            return Marking(drawing=drawing, page=index + 1, place=place, spot=spot_on(pages, index + 1, place))
    raise PlacementError(
        "no-room-for-check-mark",
        f"第{index + 1}页印章旁边和四角都没有空白处可放查验码",
        f"page {index + 1} has no blank place for the check code, neither beside the seal nor in a corner",
    )


def _annotated(page: pikepdf.Page, geometry: PageGeometry) -> Iterator[Rectangle]:
    listed = page.obj.get("/Annots")
    for each in listed if isinstance(listed, pikepdf.Array) else []:
        rect = each.get("/Rect") if isinstance(each, pikepdf.Dictionary) else None
        if rect is not None:
            left, bottom, right, top = (float(value) for value in rect)
            yield _shown((left, bottom, right, top), geometry)


def displayed(spot: Spot, geometry: PageGeometry) -> Rectangle:
    """Where ``spot`` is seen on its page, in millimetres."""
    return _shown((spot.x, spot.y, spot.x + spot.width, spot.y + spot.height), geometry)


def _shown(box: tuple[float, float, float, float], geometry: PageGeometry) -> Rectangle:
    (x0, y0), (x1, y1) = geometry.to_display(*box[:2]), geometry.to_display(*box[2:])
    return Rectangle(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
