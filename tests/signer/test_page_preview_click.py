"""A click on a page's picture becomes the placement at which the seal then stands."""

from decimal import Decimal
from pathlib import Path

import pytest
from pikepdf import Array, Pdf

from signer.desk import place_seal, preview_document
from signer.errors import PlacementError
from signer.placement import At, parse_placement

SPECIMEN = {"name": "赣州市行政审批局行政审批专用章（12）", "number": 12, "diameter_mm": "42", "sample": True}


def blank(folder: Path, *, rotate: int = 0, crop: tuple[float, ...] | None = None, size=(595, 842)) -> Path:
    pdf = Pdf.new()
    page = pdf.add_blank_page(page_size=size)
    page.obj.Rotate = rotate
    if crop:
        page.obj.CropBox = Array(crop)
    path = folder / "blank.pdf"
    pdf.save(path)
    return path


def place(path: Path, x: float, y: float, page: int = 1, diameter: str = "42") -> dict:
    return place_seal(source=str(path), page=page, x=x, y=y, diameter_mm=diameter)["placement"]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (100, 150, 560, 800)])
@pytest.mark.parametrize("click", [(0.5, 0.5), (0.31, 0.62), (0.66, 0.4)])
def test_the_seal_is_centred_on_the_click(tmp_path, rotate, crop, click) -> None:
    path = blank(tmp_path, rotate=rotate, crop=crop)
    shown = preview_document(source=str(path), placement=place(path, *click), specimen=SPECIMEN)
    (seal,), page = shown["seals"], shown["pages"][0]
    assert (seal["x"] + seal["width"] / 2) * page["width_mm"] == pytest.approx(click[0] * page["width_mm"], abs=0.06)
    assert (seal["y"] + seal["height"] / 2) * page["height_mm"] == pytest.approx(click[1] * page["height_mm"], abs=0.06)


@pytest.mark.parametrize("rotate", [0, 90])
@pytest.mark.parametrize("click", [(0, 0), (1, 0), (0, 1), (1, 1), (0.01, 0.5)])
def test_near_an_edge_it_is_moved_inside(tmp_path, rotate, click) -> None:
    path = blank(tmp_path, rotate=rotate, crop=(100, 150, 560, 800))
    (seal,) = preview_document(source=str(path), placement=place(path, *click), specimen=SPECIMEN)["seals"]
    ends = [seal["x"], seal["y"], 1 - seal["x"] - seal["width"], 1 - seal["y"] - seal["height"]]
    assert min(ends) > -1e-4  # it may touch the edge
    gap = {0: seal["left_mm"], 1: (1 - seal["x"] - seal["width"]) * 229}.get(click[0], 0)
    assert gap < 0.2  # and no further than needed


def test_the_placement_is_what_orders_take(tmp_path) -> None:
    said = place(blank(tmp_path), 0.5, 0.25)
    assert said == {"kind": "position", "page": 1, "x_mm": "105", "y_mm": "74.3"}
    assert parse_placement(said) == At(page=1, x_mm=Decimal(105), y_mm=Decimal("74.3"))


def test_a_seal_of_odd_size_stays_on_the_page(tmp_path) -> None:
    path = blank(tmp_path)
    assert place(path, 0, 0, diameter="41.5") == {"kind": "position", "page": 1, "x_mm": "20.8", "y_mm": "20.8"}


@pytest.mark.parametrize(
    ("x", "y", "page", "code"),
    [
        (1.01, 0.5, 1, "click-off-page"),
        (0.5, -0.01, 1, "click-off-page"),
        (float("nan"), 0.5, 1, "click-off-page"),
        (True, 0.5, 1, "click-off-page"),
        ("0.5", 0.5, 1, "click-off-page"),
        (0.5, 0.5, 2, "page-out-of-range"),
    ],
)
def test_clicks_that_are_on_no_page_are_refused(tmp_path, x, y, page, code) -> None:
    with pytest.raises(PlacementError) as told:
        place(blank(tmp_path), x, y, page)
    assert told.value.code == code


def test_a_page_smaller_than_the_seal_has_no_place(tmp_path) -> None:
    with pytest.raises(PlacementError) as told:
        place(blank(tmp_path, size=(100, 842)), 0.5, 0.5)
    assert told.value.code == "box-off-page"
