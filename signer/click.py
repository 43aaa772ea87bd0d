"""From a click on the picture of a page to the placement of the seal."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

from signer.errors import PlacementError
from signer.page import MM_PER_POINT, PageGeometry
from signer.placement import At, require_page, spot_at, to_json

_STEP: Final = Decimal("0.1")
"""Millimetres: finer than a person clicks, and short to read in an approval."""


def placement_at(
    pages: Sequence[PageGeometry], page: int, click: tuple[float, float], *, diameter: float
) -> dict[str, str | int | bool]:
    """The ``position`` placement with the seal's centre at ``click``, or as near as it stays whole on the page.

    ``click``: parts (0 to 1) of the width and height of ``page`` (from 1) as it is shown; ``diameter`` in points.
    Raises :class:`PlacementError`: ``page-out-of-range``, ``click-off-page``, ``box-off-page`` (the page is smaller
    than the seal).
    """
    require_page(len(pages), page)
    geometry, radius = pages[page - 1], diameter * MM_PER_POINT / 2
    x_mm = _within(click[0], geometry.width_mm, radius)
    y_mm = _within(click[1], geometry.height_mm, radius)
    spot_at(pages, page, (float(x_mm), float(y_mm)), diameter)
    return to_json(At(page=page, x_mm=x_mm, y_mm=y_mm))


def _within(part: float, length_mm: float, radius_mm: float) -> Decimal:
    if isinstance(part, bool) or not isinstance(part, int | float) or not math.isfinite(part) or not 0 <= part <= 1:
        raise PlacementError(
            "click-off-page",
            f"点击位置为{part!r}，应为页面宽高的0至1",
            f"the click is at {part!r}, expected a part of the page from 0 to 1",
        )
    # Six places first: a page that is 42 mm wide but for binary fractions has room for a seal of 42 mm.
    least, most = (Decimal(f"{edge:.6f}") for edge in (radius_mm, length_mm - radius_mm))
    wanted = Decimal(str(part * length_mm)).quantize(_STEP, ROUND_HALF_EVEN)
    lowest, highest = least.quantize(_STEP, ROUND_CEILING), most.quantize(_STEP, ROUND_FLOOR)
    return max(lowest, min(highest, wanted))
