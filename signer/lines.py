"""Characters with their places, gathered into the lines a reader sees.

Positions are millimetres from the top left of the page as displayed. Text is compared folded: width,
brackets and compatibility forms made equal (NFKC), white space and invisible characters dropped, so that 盖
章 is 盖章.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple


class Rectangle(NamedTuple):
    """A rectangle on the displayed page, in millimetres from its top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of it."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


class Character(NamedTuple):
    """One visible character and the box of its line height and advance."""

    text: str
    box: Rectangle


@dataclass(frozen=True)
class Line:
    """Characters that stand on one line, from left to right."""

    characters: tuple[Character, ...]

    @cached_property
    def box(self) -> Rectangle:
        """The rectangle around the whole line."""
        return around(character.box for character in self.characters)

    @cached_property
    def folded(self) -> str:
        """The text of the line, folded."""
        return "".join(letter for letter, _ in self._folded)

    @cached_property
    def _folded(self) -> list[tuple[str, Rectangle]]:
        # One character may fold to several: ㎡ to m2. Each keeps the box of the character it comes from.
        return [(letter, each.box) for each in self.characters for letter in fold(each.text)]

    def place(self, start: int, end: int) -> Rectangle:
        """The rectangle around the characters ``start`` to ``end`` of ``folded``."""
        return around(box for _, box in self._folded[start:end])

    def find(self, wanted: str) -> Iterator[Rectangle]:
        """The rectangle of each place where ``wanted``, which is folded, stands in the line."""
        start = self.folded.find(wanted)
        while wanted and start >= 0:
            yield self.place(start, start + len(wanted))
            start = self.folded.find(wanted, start + len(wanted))


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """``text`` as it is compared: NFKC, without white space and without invisible characters."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter)[0] not in "ZC"
    )


def around(boxes: Iterable[Rectangle]) -> Rectangle:
    """The smallest rectangle that holds all ``boxes``, of which there is at least one."""
    every = list(boxes)
    return Rectangle(
        min(box.left for box in every),
        min(box.top for box in every),
        max(box.right for box in every),
        max(box.bottom for box in every),
    )


def gather(characters: Iterable[Character]) -> tuple[Line, ...]:
    """The lines of a page, from top to bottom.

    Two characters share a line when their middles differ by less than half the height of the taller: so a
    small （盖章） beside a large name stays on its line.
    """
    rows: list[list[Character]] = []
    middle = height = 0.0
    for character in sorted(characters, key=_middle):
        box = character.box
        if not rows or _middle(character) - middle >= max(height, box.height) / 2:
            rows.append([])
            middle, height = _middle(character), box.height
        rows[-1].append(character)
    return tuple(Line(tuple(sorted(row, key=lambda each: each.box.left))) for row in rows)


def _middle(character: Character) -> float:
    return (character.box.top + character.box.bottom) / 2
