"""The face (印面) of a seal: exact vector art, the same numbers for PDF and SVG.

A face carries no colour, no font and no image: who draws it says in which red and with which blending.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from signer.glyphs import Segment
from signer.layout import Affine, Shape, lay_out
from signer.preview import render
from signer.specimen import Specimen

POINTS_PER_MM = 72 / 25.4

STEPS = 100
"""Coordinates are whole hundredths of a point, 3.5 µm: finer than any printer, and short to write."""

_OPERATOR = {"M": "m", "L": "l", "C": "c", "Z": "h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A drawn face. ``diameter`` in points, ``diameter_mm`` in millimetres.

    ``operators`` are PDF operators that build and fill the figures in a box from 0 to ``diameter``, between
    ``q`` and ``Q``; they set neither colour nor graphics state.
    """

    diameter: float
    diameter_mm: Decimal
    operators: bytes
    path: str

    def svg(self) -> str:
        """The face as a stand-alone SVG in pure red and real size, with the numbers of ``operators``."""
        size, box, step = f"{self.diameter_mm}mm", f"{self.diameter:g}", 1 / STEPS
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" '
            f'viewBox="0 0 {box} {box}"><path transform="matrix({step} 0 0 -{step} 0 {box})" '
            f'fill="#f00" d="{self.path}"/></svg>'
        )

    def png(self, pixels: int) -> bytes:
        """The face on white as a square PNG, ``pixels`` wide; for a look, never for sealing."""
        return render(self.operators, self.diameter, pixels)


@lru_cache(maxsize=256)
def draw(specimen: Specimen) -> Face:
    """Draw the face of ``specimen``. The same specimen gives the same bytes. Raises ``MissingGlyphError``."""
    diameter = round(float(specimen.diameter_mm) * POINTS_PER_MM, 2)
    scale = diameter / float(specimen.diameter_mm) * STEPS
    to_box = Affine(scale, 0, 0, scale, diameter / 2 * STEPS, diameter / 2 * STEPS)
    shapes = [to_box.apply(shape) for shape in lay_out(specimen)]
    return Face(
        diameter=diameter,
        diameter_mm=specimen.diameter_mm,
        operators=operators(shapes),
        path="".join(_svg_step(segment) for shape in shapes for segment in shape),
    )


def operators(shapes: Iterable[Shape]) -> bytes:
    """PDF operators that fill ``shapes``, whose coordinates are hundredths of a point, between ``q`` and ``Q``."""
    lines = ["q", f"{1 / STEPS} 0 0 {1 / STEPS} 0 0 cm"]
    for shape in shapes:
        lines += [" ".join([*_numbers(segment), _OPERATOR[segment.verb]]) for segment in shape]
        lines.append("f")
    lines.append("Q\n")
    return "\n".join(lines).encode("ascii")


def _svg_step(segment: Segment) -> str:
    return segment.verb + " ".join(_numbers(segment))


def _numbers(segment: Segment) -> list[str]:
    return [str(round(value)) for point in segment.points for value in point]
