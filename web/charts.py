"""Bars as SVG, drawn by the server: places and lengths only; colours are the stylesheet's, numbers stand in a table.

Units are those of the picture's own view box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_WIDTH: Final = 600
_HEIGHT: Final = 160
_ROW: Final = 30
_LABEL: Final = 230
"""Room for the name of a row."""
_LONGEST: Final = 14
"""Characters of a name that fit there; the table has it whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One rectangle; ``tone`` is its class in the stylesheet."""

    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word in the picture, with its anchor: ``start`` or ``end``."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of ``width`` by ``height``."""

    width: int
    height: int
    boxes: list[Box]
    labels: list[Label]


Row = tuple[str, Sequence[tuple[str, int]]]
"""A name, and beside it the tone and number of each part of its bar."""


def columns(rows: Sequence[Row]) -> Chart:
    """Upright bars from left to right, parts one on the other, the first and the last named."""
    highest = _highest(rows)
    step = _WIDTH / max(len(rows), 1)
    boxes: list[Box] = []
    for place, (_, parts) in enumerate(rows):
        bottom = float(_HEIGHT)
        for tone, number in parts:
            height = round(_HEIGHT * number / highest, 2)
            bottom = round(bottom - height, 2)
            if number:
                boxes.append(
                    Box(x=round(place * step, 2), y=bottom, width=round(step * 0.8, 2), height=height, tone=tone)
                )
    labels = [Label(x=0, y=_HEIGHT + 22, text=rows[0][0], anchor="start")] if rows else []
    labels += [Label(x=_WIDTH, y=_HEIGHT + 22, text=rows[-1][0], anchor="end")] if len(rows) > 1 else []
    return Chart(width=_WIDTH, height=_HEIGHT + 30, boxes=boxes, labels=labels)


def bars(rows: Sequence[Row]) -> Chart:
    """Lying bars from top to bottom, each with its name before and its number behind."""
    highest = _highest(rows)
    room = _WIDTH - _LABEL - 60
    boxes: list[Box] = []
    labels: list[Label] = []
    for place, (name, parts) in enumerate(rows):
        top, left = place * _ROW, float(_LABEL)
        for tone, number in parts:
            width = round(room * number / highest, 2)
            if number:
                boxes.append(Box(x=round(left, 2), y=top + 5, width=width, height=_ROW - 10, tone=tone))
            left += width
        labels.append(Label(x=_LABEL - 10, y=top + 20, text=_short(name), anchor="end"))
        total = sum(number for _, number in parts)
        labels.append(Label(x=round(left + 8, 2), y=top + 20, text=str(total), anchor="start"))
    return Chart(width=_WIDTH, height=max(len(rows), 1) * _ROW, boxes=boxes, labels=labels)


def _highest(rows: Sequence[Row]) -> int:
    return max((sum(number for _, number in parts) for _, parts in rows), default=0) or 1


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
