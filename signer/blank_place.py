"""Finds where a page is blank: the place of a check mark near its seal.

The page is rendered at a low resolution, as a reader sees it. A place is blank when it has one light colour and no
annotation; what is white on white is for :mod:`signer.examine`. Millimetres from the top left, as displayed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pypdfium2
from PIL import Image

from signer.lines import Rectangle
from signer.page import PageGeometry, unreadable

MARGIN_MM: Final = 10.0
"""What printers leave out at the edges of a sheet."""
GAP_MM: Final = 2.0
"""Between the mark and the seal."""
_AIR_MM: Final = 1.0
"""Between the mark and anything else."""
_STEP_MM: Final = 4.0
_DPI: Final = 72
_LIGHTEST_SPREAD: Final = 24
_DARKEST: Final = 200


@dataclass(frozen=True, slots=True)
class BlankPage:
    """A rendered page with the places that are taken."""

    picture: Image.Image
    geometry: PageGeometry
    taken: tuple[Rectangle, ...]

    def place(self, seal: Rectangle, width: float, height: float) -> Rectangle | None:
        """The first blank place of that size beside ``seal``, or else in a corner; None when there is none.

        Right of it, below, left of it, above; then the corners inside the margin, from the one at the lower right.
        """
        places = (*_beside(seal, width, height), *_corners(self.geometry, width, height))
        return next((each for each in places if self._is_blank(each)), None)

    def _is_blank(self, place: Rectangle) -> bool:
        page = self.geometry
        inside = place.left >= MARGIN_MM and place.right <= page.width_mm - MARGIN_MM
        if not inside or place.top < MARGIN_MM or place.bottom > page.height_mm - MARGIN_MM:
            return False
        wide = _grown(place, _AIR_MM)
        return not any(_overlap(wide, each) for each in self.taken) and self._has_one_light_colour(wide)

    def _has_one_light_colour(self, place: Rectangle) -> bool:
        across, down = self.picture.width / self.geometry.width_mm, self.picture.height / self.geometry.height_mm
        box = int(place.left * across), int(place.top * down), int(place.right * across), int(place.bottom * down)
        bands = self.picture.crop((*box[:2], box[2] + 1, box[3] + 1)).split()
        return all(_is_light(*band.getextrema()) for band in bands)


def blank_page(path: Path, index: int, geometry: PageGeometry, taken: Sequence[Rectangle]) -> BlankPage:
    """Render page ``index`` (from 0) of the file. Raises ``DocumentRejectedError`` (``text-unreadable``)."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise unreadable() from error
    try:
        picture = document[index].render(scale=_DPI / 72).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise unreadable() from error
    finally:
        document.close()
    return BlankPage(picture=picture, geometry=geometry, taken=tuple(taken))


def _beside(seal: Rectangle, width: float, height: float) -> Iterator[Rectangle]:
    x, y = seal.centre
    down = [y - height / 2 + shift for shift in _shifts((seal.height + height) / 2)]
    along = [x - width / 2 + shift for shift in _shifts((seal.right - seal.left + width) / 2)]
    yield from (_at(seal.right + GAP_MM, top, width, height) for top in down)
    yield from (_at(left, seal.bottom + GAP_MM, width, height) for left in along)
    yield from (_at(seal.left - GAP_MM - width, top, width, height) for top in down)
    yield from (_at(left, seal.top - GAP_MM - height, width, height) for left in along)


def _shifts(most: float) -> Iterator[float]:
    """0, then steps either way while mark and seal still stand side by side."""
    yield 0.0
    for step in range(1, int(most / _STEP_MM) + 1):
        yield from (step * _STEP_MM, -step * _STEP_MM)


def _corners(page: PageGeometry, width: float, height: float) -> Iterator[Rectangle]:
    right, bottom = page.width_mm - MARGIN_MM - width, page.height_mm - MARGIN_MM - height
    for top in (bottom, MARGIN_MM):
        for left in (right, MARGIN_MM):
            yield _at(left, top, width, height)


def _at(left: float, top: float, width: float, height: float) -> Rectangle:
    return Rectangle(left, top, left + width, top + height)


def _is_light(low: float, high: float) -> bool:
    return low >= _DARKEST and high - low <= _LIGHTEST_SPREAD


def _grown(place: Rectangle, by: float) -> Rectangle:
    return Rectangle(place.left - by, place.top - by, place.right + by, place.bottom + by)


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    across = one.left < other.right and other.left < one.right
    return across and one.top < other.bottom and other.top < one.bottom
