"""The characters of one page that a person can see, read through PDFium.

Invisible, transparent, microscopic and off-page characters are left out: a document must not say one thing to the
rules and another to its reader. What is covered by other content is for ``signer.examine`` to find.

This loop runs once a character; it is written to make few calls, not to be short.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from signer.lines import Character, Rectangle, fold
from signer.page import PageGeometry

LEAST_HEIGHT_MM: Final = 0.5
"""A line lower than this is not read by anybody."""

LEVEL_DEGREES: Final = 5
"""Characters that are turned by more, such as a diagonal watermark, belong to no line."""

_UNSEEN_MODES: Final = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_UNKNOWN: Final = "\ufffd"
_LAST_CODE: Final = 0x10FFFF
_HIGH: Final = range(0xD800, 0xDC00)
_LOW: Final = range(0xDC00, 0xE000)


def read_characters(textpage: pypdfium2.PdfTextPage, geometry: PageGeometry) -> tuple[list[str], list[Character]]:
    """All visible letters in the order of the content, white space included; and those that stand level."""
    handle, seen = textpage.raw, _Visibility(textpage.raw, geometry)
    codes = [pdfium.FPDFText_GetUnicode(handle, place) for place in range(textpage.count_chars())]
    letters: list[str] = []
    level: list[Character] = []
    for place, letter in _letters(codes):
        if letter.isspace():
            letters.append(letter)
            continue
        box = seen.box(place)
        if box is None:
            continue
        letters.append(letter)
        if fold(letter) and _is_level(pdfium.FPDFText_GetCharAngle(handle, place), geometry.rotate):
            level.append(Character(letter, box))
    return letters, level


def _letters(codes: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Place and character of each of PDFium's codes: UTF-16 units, so that 𠅤 takes two places.

    U+FFFD stands for a missing code, a lone surrogate, and what is no code point.
    """
    place = 0
    while place < len(codes):
        code, after = codes[place], codes[place + 1] if place + 1 < len(codes) else 0
        if code in _HIGH and after in _LOW:
            yield place, chr(0x10000 + (code - _HIGH.start) * len(_LOW) + after - _LOW.start)
            place += 2
            continue
        yield place, chr(code) if 0 < code <= _LAST_CODE and code not in _HIGH and code not in _LOW else _UNKNOWN
        place += 1


def _is_level(angle: float, rotate: int) -> bool:
    # The angle is clockwise in user space, and the page is shown turned clockwise by /Rotate.
    return abs((math.degrees(angle) + rotate + 180) % 360 - 180) < LEVEL_DEGREES


class _Visibility:
    """Tells where a character of one page is seen, if it is. Asks PDFium once per text object for its look."""

    def __init__(self, handle: Any, geometry: PageGeometry) -> None:  # noqa: ANN401  a ctypes pointer
        self._handle = handle
        self._geometry = geometry
        self._width, self._height = geometry.width_mm, geometry.height_mm
        self._edges = pdfium.FS_RECTF()
        self._shown: dict[int | None, bool] = {}

    def box(self, place: int) -> Rectangle | None:
        """The box of line height and advance of the character, as displayed; None if nobody can see it."""
        edges, to_display = self._edges, self._geometry.to_display
        if not pdfium.FPDFText_GetLooseCharBox(self._handle, place, edges):
            return None
        x0, y0 = to_display(edges.left, edges.bottom)
        x1, y1 = to_display(edges.right, edges.top)
        box = Rectangle(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        on_page = 0 <= x0 + x1 <= 2 * self._width and 0 <= y0 + y1 <= 2 * self._height
        return box if on_page and abs(y1 - y0) >= LEAST_HEIGHT_MM and self._is_shown(place) else None

    def _is_shown(self, place: int) -> bool:
        element = pdfium.FPDFText_GetTextObject(self._handle, place)
        address = ctypes.cast(element, ctypes.c_void_p).value
        if address not in self._shown:
            self._shown[address] = bool(element) and self._has_ink(element, place)
        return self._shown[address]

    def _has_ink(self, element: Any, place: int) -> bool:  # noqa: ANN401  a ctypes pointer
        if pdfium.FPDFTextObj_GetTextRenderMode(element) in _UNSEEN_MODES:
            return False
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        found = pdfium.FPDFText_GetFillColor(self._handle, place, red, green, blue, alpha)
        return not found or alpha.value > 0
