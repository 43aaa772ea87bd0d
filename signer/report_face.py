"""The face of the seal on verification reports: two rings, no star, 核验专用章 between two rules.

It cannot be taken for a No. 2 seal, which has one ring, a star, a grantor's name, 行政审批专用章 and a number.
"""

import math
from decimal import Decimal
from functools import cache
from typing import Final

from signer.face import POINTS_PER_MM, STEPS, Face
from signer.glyphs import Segment, glyphs
from signer.layout import Affine, Arc, Shape, on_arc, ring, straight

DIAMETER_MM: Final = Decimal(34)
NAME: Final = "印信核验服务"
TITLE: Final = "核验专用章"
SAMPLE: Final = "样章"
"""The embedded authority holds no licence, and the seal says so."""
_OUTER_MM, _GAP_MM, _INNER_MM = 0.9, 0.6, 0.3
_RULE_MM: Final = 0.35
_OPERATORS: Final = {"M": "m", "L": "l", "C": "c", "Z": "h"}


@cache
def report_face() -> Face:
    """The one face of this seal."""
    diameter = round(float(DIAMETER_MM) * POINTS_PER_MM, 2)
    scale = diameter / float(DIAMETER_MM) * STEPS
    to_box = Affine(scale, 0, 0, scale, diameter / 2 * STEPS, diameter / 2 * STEPS)
    drawn = b"".join(_filled(to_box.apply(shape)) for shape in _shapes())
    head = f"q\n{1 / STEPS} 0 0 {1 / STEPS} 0 0 cm\n".encode()
    return Face(diameter=diameter, diameter_mm=DIAMETER_MM, operators=head + drawn + b"Q\n", path="")


def _filled(shape: Shape) -> bytes:
    """The PDF operators that fill one figure (ISO 32000-2 8.5)."""
    steps = [
        " ".join([*(str(round(value)) for point in step.points for value in point), _OPERATORS[step.verb]])
        for step in shape
    ]
    return "\n".join([*steps, "f\n"]).encode()


def _shapes() -> list[Shape]:
    """In millimetres about the centre."""
    width = float(DIAMETER_MM)
    inner = width / 2 - _OUTER_MM - _GAP_MM
    shapes = [ring(width / 2, _OUTER_MM), ring(inner, _INNER_MM)]
    shapes += on_arc(list(glyphs(NAME)), Arc(em=4.6, baseline=10.2, pitch=math.radians(25), squeeze=0.94))
    shapes += [_rule(1.6), _rule(-5.2)]
    shapes += straight([(each, 0.0, 1.0) for each in glyphs(TITLE)], -1.8, 4.4, 22.0)
    shapes += straight([(each, 0.0, 1.0) for each in glyphs(SAMPLE)], -8.6, 3.8, 12.0)
    return shapes


def _rule(y: float) -> Shape:
    half, thick = 11.6, _RULE_MM / 2
    corners = ((-half, y - thick), (half, y - thick), (half, y + thick), (-half, y + thick))
    return (Segment("M", (corners[0],)), *(Segment("L", (each,)) for each in corners[1:]), Segment("Z"))
