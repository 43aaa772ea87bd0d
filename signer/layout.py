"""Where each element of a face stands: ring, star, name on the arc, title, number, and 样章.

Millimetres, origin in the centre, y upwards. The rules are those of engravers, not of a text: the name is
spread evenly over the upper arc with its characters upright towards the centre, the title stands straight
below the star and is narrowed before it touches the name, the number stands below the title.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from signer.glyphs import Glyph, Point, Segment, glyphs
from signer.specimen import TITLE, Specimen

Shape = tuple[Segment, ...]
"""One filled figure (non-zero winding)."""

_INK: Final = 0.945
"""Height of the ink of a Han character in ems, and how far it reaches above the baseline."""
_ASCENT: Final = 0.853

_NARROWEST: Final = 0.62
"""Width of a character by its height below which a name is lowered rather than narrowed further."""
_LOWEST: Final = 0.095
"""The least height of the name, by the diameter: 4 mm in a seal of 42 mm."""


@dataclass(frozen=True, slots=True)
class Affine:
    """The map (x, y) → (a·x + c·y + e, b·x + d·y + f), as in PDF."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def apply(self, segments: Sequence[Segment]) -> Shape:
        """The segments after the map."""
        return tuple(Segment(segment.verb, tuple(self._point(x, y) for x, y in segment.points)) for segment in segments)

    def _point(self, x: float, y: float) -> Point:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """The measures of the name on its arc: em and radius in millimetres, pitch in radians, width factor."""

    em: float
    baseline: float
    pitch: float
    squeeze: float

    @property
    def foot(self) -> float:
        """Radius of the circle on which the characters stand: nothing of the name is inside it."""
        return self.baseline - (_INK - _ASCENT) * self.em


def lay_out(specimen: Specimen) -> list[Shape]:
    """All figures of the face, in millimetres about its centre. Raises ``MissingGlyphError``."""
    diameter, proportions = float(specimen.diameter_mm), specimen.proportions
    radius, width = diameter / 2, float(proportions.ring_mm)
    arc = arc_for(len(specimen.grantor), diameter, radius - width, float(proportions.name))
    shapes = [ring(radius, width), _star(diameter * float(proportions.star))]
    shapes += on_arc(list(glyphs(specimen.grantor)), arc)
    shapes += _title(specimen, arc)
    shapes += straight(_number(specimen), -0.362 * diameter, float(proportions.number) * diameter, diameter)
    if specimen.sample:
        shapes += _sample(diameter)
    return shapes


def arc_for(count: int, diameter: float, inner: float, height: float) -> Arc:
    """The arc for a name of ``count`` characters inside a ring of inner radius ``inner``.

    ``height`` is a share of the diameter and is lowered for long names, so that the characters are not
    narrowed beyond reading well while there is another way.
    """
    span = math.radians(min(250.0 + max(0, count - 18), 130.0 + 11.5 * count))
    top, pitch = inner - 0.030 * diameter, span / count
    while True:
        em = height * diameter / _INK
        foot = top - height * diameter
        squeeze = min(0.94, 0.93 * pitch * foot / em)
        if squeeze >= _NARROWEST or height <= _LOWEST:
            return Arc(em=em, baseline=top - _ASCENT * em, pitch=pitch, squeeze=squeeze)
        height -= 0.0025


def ring(radius: float, width: float) -> Shape:
    """A ring of outer ``radius``, ``width`` wide inwards."""
    return (*_circle(radius), *_circle(radius - width, clockwise=True))


def _circle(radius: float, *, clockwise: bool = False) -> Iterator[Segment]:
    # Eight cubic arcs: the outline is off the true circle by 4 millionths of the radius.
    step = (-1 if clockwise else 1) * math.pi / 4
    reach = radius * 4 / 3 * math.tan(step / 4)
    yield Segment("M", ((radius, 0.0),))
    for index in range(8):
        start, end = index * step, (index + 1) * step
        yield Segment("C", (_off(start, radius, reach), _off(end, radius, -reach), _off(end, radius, 0.0)))
    yield Segment("Z")


def _off(angle: float, radius: float, along: float) -> Point:
    """The point at ``angle`` on the circle, moved ``along`` its tangent."""
    return (
        radius * math.cos(angle) - along * math.sin(angle),
        radius * math.sin(angle) + along * math.cos(angle),
    )


def _star(radius: float) -> Shape:
    # The inner corners of a regular pentagram lie on a circle of cos 72° / cos 36° of the outer radius.
    inner = radius * math.cos(math.radians(72)) / math.cos(math.radians(36))
    corners = [_off(math.radians(90 + 36 * index), inner if index % 2 else radius, 0.0) for index in range(10)]
    return (Segment("M", (corners[0],)), *(Segment("L", (corner,)) for corner in corners[1:]), Segment("Z"))


def on_arc(name: list[Glyph], arc: Arc) -> Iterator[Shape]:
    """``name`` spread over the upper ``arc``, upright towards the centre."""
    width = arc.em * arc.squeeze
    for index, glyph in enumerate(name):
        turn = ((len(name) - 1) / 2 - index) * arc.pitch
        cos, sin = math.cos(turn), math.sin(turn)
        middle = glyph.advance / 2 * width
        yield Affine(
            width * cos,
            width * sin,
            -arc.em * sin,
            arc.em * cos,
            -middle * cos - arc.baseline * sin,
            -middle * sin + arc.baseline * cos,
        ).apply(glyph.segments)


def _title(specimen: Specimen, arc: Arc) -> Iterator[Shape]:
    diameter = float(specimen.diameter_mm)
    centre, height = -0.237 * diameter, float(specimen.proportions.title) * diameter
    room = 2 * _room(arc, len(specimen.grantor), centre, height)
    return straight([(glyph, 0.0, 1.0) for glyph in glyphs(TITLE)], centre, height, room - 0.05 * diameter)


def _room(arc: Arc, count: int, centre: float, height: float) -> float:
    """Half the width that the name leaves free between ``centre`` ± half of ``height``.

    At a given depth the row may reach as far as the foot of the name, or, below the name's last character,
    as far as the ray on which that ends.
    """
    below = count * arc.pitch / 2 - math.pi / 2
    outer = arc.baseline + _ASCENT * arc.em
    widths = []
    for step in range(9):
        depth = -(centre + height / 2) + height * step / 8
        inside = math.sqrt(max(0.0, arc.foot**2 - depth**2))
        under = depth / math.tan(below) if below > 0 else math.inf
        widths.append(min(max(inside, under), math.sqrt(outer**2 - depth**2)))
    return min(widths)


def _number(specimen: Specimen) -> list[tuple[Glyph, float, float]]:
    # A full-width bracket fills half its em: take the half with the ink.
    placed = []
    for glyph in glyphs(specimen.number_text):
        if glyph.character == "（":
            placed.append((glyph, 0.56, 0.42))
        elif glyph.character == "）":
            placed.append((glyph, 0.02, 0.42))
        else:
            placed.append((glyph, 0.0, glyph.advance))
    return placed


def straight(row: Sequence[tuple[Glyph, float, float]], centre: float, height: float, room: float) -> Iterator[Shape]:
    """A straight row of (glyph, where its cell begins, width of its cell in ems), narrowed to ``room``."""
    em = height / _INK
    natural = sum(cell for _, _, cell in row) * em * 1.02
    squeeze = min(1.0, room / natural)
    x, baseline = -natural * squeeze / 2, centre + height / 2 - _ASCENT * em
    for glyph, begin, cell in row:
        width = em * squeeze
        slack = cell * width * 0.01
        yield Affine(width, 0, 0, em, x + slack - begin * width, baseline).apply(glyph.segments)
        x += cell * width * 1.02


def _sample(diameter: float) -> Iterator[Shape]:
    em = 0.085 * diameter
    for glyph, side in zip(glyphs("样章"), (-1, 1), strict=True):
        yield Affine(em, 0, 0, em, side * 0.118 * diameter - em / 2, 0.122 * diameter).apply(glyph.segments)
