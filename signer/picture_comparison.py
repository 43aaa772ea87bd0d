"""Where two pictures of a page differ, as rectangles that a person would draw around it."""

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from signer.page import Box

WHOLE: Final[Box] = (0.0, 0.0, 1.0, 1.0)
MOST_BOXES: Final = 20
_TOLERANCE: Final = 40  # of 255, in one colour: less is rounding of edges
_TILE: Final = 8  # pixels; a tile differs when two of its pixels do
_TWO_PIXELS: Final = 2 * 255 // (_TILE * _TILE)

PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def differing_boxes(old: Image.Image, new: Image.Image, explained: Sequence[PixelBox] = ()) -> tuple[Box, ...]:
    """Where the pictures differ outside ``explained``: left, top, right, bottom as parts of the size, at most 20.

    Pictures of different sizes differ as a whole.
    """
    if old.size != new.size:
        return (WHOLE,)
    if old.tobytes() == new.tobytes():
        return ()
    return _boxes(_differing(old, new), explained)


def _differing(old: Image.Image, new: Image.Image) -> Image.Image:
    """A picture that is white where a colour differs by more than the tolerance."""
    red, green, blue = ImageChops.difference(old, new).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point(lambda value: 255 if value > _TOLERANCE else 0)


def _boxes(differing: Image.Image, explained: Sequence[PixelBox]) -> tuple[Box, ...]:
    drawing = ImageDraw.Draw(differing)
    for box in explained:
        drawing.rectangle(box, fill=0)
    if not differing.getbbox():
        return ()
    tiles = differing.reduce(_TILE).point(lambda value: 255 if value >= _TWO_PIXELS else 0)
    width, height = differing.size
    areas = _areas(tiles)
    return tuple(
        (
            round(left * _TILE / width, 4),
            round(top * _TILE / height, 4),
            round(min(1.0, right * _TILE / width), 4),
            round(min(1.0, bottom * _TILE / height), 4),
        )
        for left, top, right, bottom in areas
    )


def _areas(tiles: Image.Image) -> list[PixelBox]:
    """Rectangles around the white tiles that touch; one around all when there are too many."""
    width = tiles.size[0]
    left = {(at % width, at // width) for at, value in enumerate(tiles.tobytes()) if value}
    found: list[PixelBox] = []
    while left:
        group, waiting = [], [left.pop()]
        while waiting:
            x, y = waiting.pop()
            group.append((x, y))
            near = {(x + dx, y + dy) for dx in (-2, -1, 0, 1, 2) for dy in (-2, -1, 0, 1, 2)} & left
            left -= near
            waiting += near
        across, down = [x for x, _ in group], [y for _, y in group]
        found.append((min(across), min(down), max(across) + 1, max(down) + 1))
    if len(found) > MOST_BOXES:
        lefts, tops, rights, bottoms = zip(*found, strict=True)
        return [(min(lefts), min(tops), max(rights), max(bottoms))]
    return sorted(found, key=lambda box: (box[1], box[0]))
