"""Outlines: true to the font, and never a box."""

import math

import pytest
from fontTools.pens.areaPen import AreaPen
from fontTools.ttLib import TTFont

from signer.errors import MissingGlyphError
from signer.glyphs import FOLDER, FONT, Segment, glyph, glyphs


def area(segments: tuple[Segment, ...]) -> float:
    """Signed area, by the same pen that measures the font's own outline."""
    pen = AreaPen()
    for segment in segments:
        match segment.verb:
            case "M":
                pen.moveTo(*segment.points)
            case "L":
                pen.lineTo(*segment.points)
            case "C":
                pen.curveTo(*segment.points)
            case "Z":
                pen.closePath()
    return float(pen.value)


@pytest.mark.parametrize("character", "赣州市行政审批局潋崀寻乌（）12")
def test_the_outline_has_the_area_of_the_fonts_own(character: str) -> None:
    with TTFont(FOLDER / FONT, lazy=True) as font:
        pen = AreaPen(font.getGlyphSet())
        font.getGlyphSet()[font.getBestCmap()[ord(character)]].draw(pen)
    assert math.isclose(area(glyph(character).segments), pen.value / 1000**2, rel_tol=0.005)


def test_every_contour_is_closed() -> None:
    for each in glyphs("赣州市行政审批专用章样"):
        verbs = "".join(segment.verb for segment in each.segments)
        assert verbs.count("M") == verbs.count("Z") > 0
        assert verbs.startswith("M")
        assert verbs.endswith("Z")


def test_han_characters_fill_the_em() -> None:
    for each in glyphs("赣州市行政审批局"):
        assert each.advance == 1
        assert 0.9 < each.top - each.bottom < 1
        assert 0 <= each.left < each.right <= 1


@pytest.mark.parametrize("character", ["𡌶", "\ue000", "😀", "\u0000"])
def test_a_missing_glyph_is_an_error_that_names_it(character: str) -> None:
    with pytest.raises(MissingGlyphError) as caught:
        list(glyphs(f"赣{character}"))
    assert caught.value.code == "missing-glyph"
    for sentence in (caught.value.zh, caught.value.en):
        assert character in sentence
        assert f"U+{ord(character):04X}" in sentence


def test_a_glyph_is_read_once() -> None:
    assert glyph("赣") is glyph("赣")
