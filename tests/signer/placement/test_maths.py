"""From millimetres on the displayed page to user space: properties over all page geometries."""

import itertools
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import PlacementError
from signer.page import MM_PER_POINT, PageGeometry
from signer.placement import SEAM_PAGES, Spot, seam_slices, spot_at

DIAMETER = 42 / MM_PER_POINT
A4 = PageGeometry(box=(0, 0, 595.276, 841.89))

edges = st.floats(-500, 500)
sizes = st.floats(200, 3000)
geometries = st.builds(
    lambda left, bottom, width, height, rotate, unit: PageGeometry(
        box=(left, bottom, left + width, bottom + height), rotate=rotate, unit=unit
    ),
    edges,
    edges,
    sizes,
    sizes,
    st.sampled_from([0, 90, 180, 270]),
    st.sampled_from([1.0, 0.75, 2.5]),
)
shares = st.floats(0, 1)


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


def centre_of(spot: Spot, geometry: PageGeometry) -> tuple[float, float]:
    return geometry.to_display(spot.x + spot.width / 2, spot.y + spot.height / 2)


@given(geometries, shares, shares)
def test_there_and_back(geometry: PageGeometry, across: float, down: float) -> None:
    x_mm, y_mm = across * geometry.width_mm, down * geometry.height_mm
    x, y = geometry.to_user_space(x_mm, y_mm)
    left, bottom, right, top = geometry.box
    assert left - 1e-6 <= x <= right + 1e-6
    assert bottom - 1e-6 <= y <= top + 1e-6
    back = geometry.to_display(x, y)
    assert close(back[0], x_mm)
    assert close(back[1], y_mm)


@pytest.mark.parametrize(("rotate", "corner"), [(0, (10, 220)), (90, (10, 20)), (180, (110, 20)), (270, (110, 220))])
def test_the_top_left_corner_as_displayed(rotate: int, corner: tuple[float, float]) -> None:
    # /Rotate turns clockwise: after 90° the corner that was at the bottom left is at the top left.
    geometry = PageGeometry(box=(10, 20, 110, 220), rotate=rotate)
    assert geometry.to_user_space(0, 0) == corner


def test_a_turned_page_is_as_wide_as_it_was_high() -> None:
    assert PageGeometry(box=(0, 0, 100, 200), rotate=90).width_mm == 200 * MM_PER_POINT
    assert PageGeometry(box=(0, 0, 100, 200), rotate=90, unit=2).height_mm == 200 * MM_PER_POINT


@given(geometries, shares, shares)
def test_a_seal_on_the_page_stands_where_it_was_asked_for(geometry: PageGeometry, across: float, down: float) -> None:
    diameter = 0.9 * min(geometry.width_mm, geometry.height_mm) / MM_PER_POINT
    radius = diameter * MM_PER_POINT / 2
    centre = (
        radius + across * (geometry.width_mm - 2 * radius),
        radius + down * (geometry.height_mm - 2 * radius),
    )
    spot = spot_at([geometry], 1, centre, diameter)
    assert spot.page_index == 0
    assert spot.rotation == geometry.rotate
    assert spot.clip == (0, 1)
    assert close(spot.width * geometry.unit, diameter)
    assert close(spot.height * geometry.unit, diameter)
    assert close(centre_of(spot, geometry)[0], centre[0])
    assert close(centre_of(spot, geometry)[1], centre[1])


@given(geometries, st.sampled_from(["left", "right", "top", "bottom"]), st.floats(0.02, 500))
def test_a_seal_over_an_edge_is_refused(geometry: PageGeometry, edge: str, beyond: float) -> None:
    diameter = 0.5 * min(geometry.width_mm, geometry.height_mm) / MM_PER_POINT
    radius, width, height = diameter * MM_PER_POINT / 2, geometry.width_mm, geometry.height_mm
    centre = {
        "left": (radius - beyond, height / 2),
        "right": (width - radius + beyond, height / 2),
        "top": (width / 2, radius - beyond),
        "bottom": (width / 2, height - radius + beyond),
    }[edge]
    with pytest.raises(PlacementError) as caught:
        spot_at([geometry], 1, centre, diameter)
    assert caught.value.code == "box-off-page"


def test_the_refusal_says_both_sizes_in_millimetres() -> None:
    with pytest.raises(PlacementError) as caught:
        spot_at([A4], 1, (200, 100), DIAMETER)
    assert "右221.0" in caught.value.zh
    assert "宽210.0、高297.0毫米" in caught.value.zh
    assert "page 1 of 210.0 × 297.0 mm" in caught.value.en


def test_a_seal_may_touch_the_edge() -> None:
    assert abs(spot_at([A4], 1, (21, 21), DIAMETER).x) < 1e-9


@pytest.mark.parametrize("page", [0, 3, -1])
def test_a_page_that_is_not_there(page: int) -> None:
    with pytest.raises(PlacementError) as caught:
        spot_at([A4, A4], page, (100, 100), DIAMETER)
    assert caught.value.code == "page-out-of-range"
    assert "2" in caught.value.zh


@given(st.lists(geometries, min_size=SEAM_PAGES[0], max_size=SEAM_PAGES[1]))
def test_seam_slices_make_one_seal_at_the_right_edges(pages: list[PageGeometry]) -> None:
    diameter = 0.9 * min(page.height_mm for page in pages) / MM_PER_POINT
    narrow = min(page.width_mm for page in pages) * len(pages) / MM_PER_POINT
    diameter = min(diameter, narrow)
    slices = seam_slices(pages, diameter)
    assert [spot.page_index for spot in slices] == list(range(len(pages)))
    assert slices[0].clip[0] == 0
    assert slices[-1].clip[1] == 1
    for before, after in itertools.pairwise(slices):
        assert before.clip[1] == after.clip[0]
    for spot, page in zip(slices, pages, strict=True):
        corners = [
            page.to_display(spot.x, spot.y),
            page.to_display(spot.x + spot.width, spot.y + spot.height),
        ]
        assert close(max(x for x, _ in corners), page.width_mm)
        shown = max(x for x, _ in corners) - min(x for x, _ in corners)
        assert close(shown, diameter * MM_PER_POINT * (spot.clip[1] - spot.clip[0]))
        assert close(centre_of(spot, page)[1], page.height_mm / 2)


@pytest.mark.parametrize("count", [0, 1, 21, 100])
def test_a_seam_needs_two_to_twenty_pages(count: int) -> None:
    with pytest.raises(PlacementError) as caught:
        seam_slices([A4] * count, DIAMETER)
    assert caught.value.code == "seam-page-count"
    assert str(count) in caught.value.zh


def test_a_seam_stands_where_it_was_asked_for() -> None:
    slices = seam_slices([A4, A4], DIAMETER, Decimal(100))
    assert close(centre_of(slices[0], A4)[1], 100)
    assert close(centre_of(slices[1], A4)[1], 100)


def test_a_seam_off_a_short_page_is_refused() -> None:
    short = PageGeometry(box=(0, 0, 595, 200))
    with pytest.raises(PlacementError) as caught:
        seam_slices([A4, short], DIAMETER, Decimal(100))
    assert caught.value.code == "box-off-page"
    assert "第2页" in caught.value.zh
