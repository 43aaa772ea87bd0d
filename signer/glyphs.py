"""Characters as outlines: the glyphs of the seal font as cubic curves, which PDF and SVG both draw.

The only module that opens the font. Its TrueType outlines are quadratic, made from cubic ones by splitting
them; here they are joined again, which halves the size of a face. In a character 6 mm high the curve moves
by at most 6 µm, a seventh of the dot of a 600 dpi printer.
"""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fontTools.pens.basePen import BasePen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.qu2cuPen import Qu2CuPen
from fontTools.ttLib import TTFont

from signer.errors import MissingGlyphError

FOLDER: Final = Path(__file__).parent / "fonts"
FONT: Final = "NotoSerifSC-Bold.ttf"

TOLERANCE: Final = 1.0
"""How far a joined curve may be from the font's own, in units of a thousandth of the em."""

Point = tuple[float, float]

# fontTools reads glyphs from the file when they are asked for and is not safe for threads.
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: ``M`` or ``L`` with one point, ``C`` with three, ``Z`` with none."""

    verb: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """The outline of one character in ems, baseline at 0, with its advance and its ink box."""

    character: str
    segments: tuple[Segment, ...]
    advance: float
    left: float
    bottom: float
    right: float
    top: float


class _SegmentPen(BasePen):  # type: ignore[misc]  # fontTools has no types
    """Collects an outline as segments; BasePen resolves components and what else is no plain segment."""

    def __init__(self, glyph_set: Any, scale: float) -> None:  # noqa: ANN401  fontTools has no types
        super().__init__(glyph_set)
        self.segments: list[Segment] = []
        self._scale = scale

    def _moveTo(self, pt: Point) -> None:  # noqa: N802  fontTools' name
        self._add("M", pt)

    def _lineTo(self, pt: Point) -> None:  # noqa: N802  fontTools' name
        self._add("L", pt)

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:  # noqa: N802  fontTools' name
        self._add("C", pt1, pt2, pt3)

    def _closePath(self) -> None:  # noqa: N802  fontTools' name
        self._add("Z")

    def _add(self, verb: str, *points: Point) -> None:
        self.segments.append(Segment(verb, tuple((x * self._scale, y * self._scale) for x, y in points)))


def glyphs(text: str) -> Iterator[Glyph]:
    """The glyph of each character of ``text``. Raises :class:`MissingGlyphError`; a box is never drawn."""
    for character in text:
        yield glyph(character)


@lru_cache(maxsize=512)
def glyph(character: str) -> Glyph:
    """The glyph of one character. Raises :class:`MissingGlyphError` naming it and its code point."""
    with _LOCK:
        font, code = _font(), ord(character)
        name = font.getBestCmap().get(code)
        if name is None:
            raise MissingGlyphError(
                "missing-glyph",
                f"印章字库{FONT}没有“{character}”（U+{code:04X}）",
                f'found no glyph for "{character}" (U+{code:04X}), expected one in {FONT}',
            )
        glyph_set, scale = font.getGlyphSet(), 1 / font["head"].unitsPerEm
        pen, bounds = _SegmentPen(glyph_set, scale), BoundsPen(glyph_set)
        glyph_set[name].draw(Qu2CuPen(pen, TOLERANCE, all_cubic=True))
        glyph_set[name].draw(bounds)
        left, bottom, right, top = (edge * scale for edge in bounds.bounds or (0, 0, 0, 0))
        return Glyph(
            character=character,
            segments=tuple(pen.segments),
            advance=glyph_set[name].width * scale,
            left=left,
            bottom=bottom,
            right=right,
            top=top,
        )


@lru_cache(maxsize=1)
def _font() -> TTFont:
    return TTFont(io.BytesIO((FOLDER / FONT).read_bytes()), lazy=True)
