"""The check mark beside a seal: its check code as words, or as a QR code with the same words.

A reader of the paper finds the official page by its address in words, not by trusting a square that anybody can
print. Drawn like the face: outlines only, no font, no image, black.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Final, Literal
from urllib.parse import urlsplit

import segno

from signer.errors import SignerError
from signer.glyphs import Segment, glyph, glyphs
from signer.page import MM_PER_POINT

_OPERATOR: Final = {"M": b"m", "L": b"l", "C": b"c", "Z": b"h"}
EM_MM: Final = 2.2
LEADING_MM: Final = 3.0
LEAST_MODULE_MM: Final = 0.4
"""A camera at arm's length, and a copy on a 300 dpi printer, tell modules of this size."""
_MODULE_MM: Final = 0.5
LARGEST_QR_MM: Final = 22.0
QUIET_ZONE: Final = 4
"""Modules around the code that stay blank (ISO/IEC 18004 6.3.8)."""
_GAP_MM: Final = 1.0
_NARROWEST: Final = 0.8
"""To which a line is narrowed before it is broken."""
_BASELINE: Final = 0.75
"""Where in a line of text its baseline is, from the top."""
_LONGEST: Final = 200

Form = Literal["code", "qr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMark:
    """What the mark says. ``url`` is the page for this very code, ``number`` that of the document."""

    form: Form
    code: str
    url: str
    number: str

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> "CheckMark":
        """From an object with exactly these members. Raises :class:`SignerError` (``check-mark-malformed``)."""
        form, texts = value.get("form"), [value.get(name) for name in ("code", "url", "number")]
        usable = all(isinstance(text, str) and text.isprintable() and 0 < len(text) <= _LONGEST for text in texts)
        if form not in {"code", "qr"} or not usable or len(value) != 1 + len(texts) or not _host(value["url"]):
            raise SignerError(
                "check-mark-malformed",
                "查验标记不符合要求，应有 form（code 或 qr）、code、url（带主机名）和 number",
                "the check mark is malformed, expected form (code or qr), code, url (with a host) and number",
            )
        return cls(form="qr" if form == "qr" else "code", code=value["code"], url=value["url"], number=value["number"])

    @property
    def lines(self) -> tuple[str, str, str]:
        """The words, one line each: code, official address, document number."""
        return f"查验码 {self.code}", f"网址 {_host(self.url)}", f"编号 {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One way to draw a mark: its size in millimetres, and operators in a box of that size in points."""

    form: Form
    width_mm: float
    height_mm: float
    operators: bytes
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Operators in micrometres from the lower left, of something ``width`` and ``height`` millimetres large."""

    width: float
    height: float
    operators: bytes

    def at(self, x: float, y: float) -> bytes:
        """The operators with the lower left at ``x``, ``y`` millimetres."""
        return b"q 1 0 0 1 %d %d cm\n%sQ\n" % (round(x * 1000), round(y * 1000), self.operators)


def drawings(mark: CheckMark) -> Iterator[Drawing]:
    """The ways to draw ``mark``, best first: a QR code with the words beside or below it, then the words alone.

    Raises ``MissingGlyphError`` and ``SignerError`` (``check-address-too-long``).
    """
    if mark.form == "qr":
        code, address, number = mark.lines
        square, words = _symbol(mark.url), _words((*code.split(" ", 1), address, number), mark.code)
        width, height = square.width + _GAP_MM + words.width, max(square.height, words.height)
        middle = (height - square.height) / 2, (height - words.height) / 2
        yield _drawing(mark, (width, height), square.at(0, middle[0]), words.at(square.width + _GAP_MM, middle[1]))
        width, height = max(square.width, words.width), square.height + words.height
        middle = (width - square.width) / 2, (width - words.width) / 2
        yield _drawing(mark, (width, height), square.at(middle[0], words.height), words.at(middle[1], 0))
    words = _words(mark.lines, mark.lines[0])
    yield _drawing(replace(mark, form="code"), (words.width, words.height), words.at(0, 0))


def _drawing(mark: CheckMark, size: tuple[float, float], *parts: bytes) -> Drawing:
    scale = b"%.8f" % (1 / (1000 * MM_PER_POINT))
    return Drawing(
        form=mark.form,
        width_mm=size[0],
        height_mm=size[1],
        operators=b"q %s 0 0 %s 0 0 cm\n%sQ\n" % (scale, scale, b"".join(parts)),
        label="\n".join(mark.lines),
    )


def _symbol(url: str) -> _Part:
    """A QR code at error correction M with its quiet zone; dark modules as rectangles, one for each run in a row."""
    rows = segno.make(url, error="m", boost_error=False, micro=False).matrix
    count = len(rows) + 2 * QUIET_ZONE
    module = min(_MODULE_MM, LARGEST_QR_MM / count)
    if module < LEAST_MODULE_MM:
        raise SignerError(
            "check-address-too-long",
            f"查验网址长 {len(url)} 个字符，二维码在 {LARGEST_QR_MM:g} 毫米内放不下",
            f"a QR code of the address ({len(url)} characters) does not fit into {LARGEST_QR_MM:g} mm",
        )
    # All edges lie on one grid of rounded numbers, so that neighbours touch.
    grid = [round(module * 1000 * line) for line in range(count + 1)]
    drawn = []
    for number, row in enumerate(rows):
        bottom = count - QUIET_ZONE - number - 1
        for start, end in _runs(row, QUIET_ZONE):
            box = grid[start], grid[bottom], grid[end] - grid[start], grid[bottom + 1] - grid[bottom]
            drawn.append(b"%d %d %d %d re\n" % box)
    return _Part(width=module * count, height=module * count, operators=b"".join(drawn) + b"f\n")


def _runs(modules: Iterable[int], at: int) -> Iterator[tuple[int, int]]:
    for dark, run in groupby(modules):
        length = len(list(run))
        if dark:
            yield at, at + length
        at += length


def _words(lines: Iterable[str], widest: str) -> _Part:
    """Lines that are as wide as ``widest`` at most: narrowed a little where they are longer, then broken."""
    width = _width(widest)
    broken = [part for line in lines for part in _broken(line, width / _NARROWEST)]
    height = LEADING_MM * len(broken)
    drawn = [
        _line(line, min(1.0, width / _width(line)), height - LEADING_MM * (number + _BASELINE))
        for number, line in enumerate(broken)
    ]
    return _Part(width=width, height=height, operators=b"".join(drawn))


def _broken(line: str, width: float) -> Iterator[str]:
    start = 0
    for end in range(1, len(line) + 1):
        if _width(line[start:end]) > width:
            yield line[start : end - 1]
            start = end - 1
    yield line[start:]


def _line(text: str, squeeze: float, baseline: float) -> bytes:
    at, drawn = 0.0, []
    for each in glyphs(text):
        where = b"%.4f 0 0 %.4f %d %d cm" % (EM_MM * squeeze, EM_MM, round(at * 1000), round(baseline * 1000))
        drawn.append(b"q %s\n%sQ\n" % (where, _outline(each.character)))
        at += each.advance * EM_MM * squeeze
    return b"".join(drawn)


@lru_cache(maxsize=512)
def _outline(character: str) -> bytes:
    """A character as operators in thousandths of the em, the grid of the font."""
    steps = b"".join(_step(each) for each in glyph(character).segments)
    return steps and steps + b"f\n"


def _step(segment: Segment) -> bytes:
    points = b"".join(b"%d %d " % (round(x * 1000), round(y * 1000)) for x, y in segment.points)
    return b"%s%s\n" % (points, _OPERATOR[segment.verb])


def _width(text: str) -> float:
    return sum(each.advance for each in glyphs(text)) * EM_MM


def _host(url: str) -> str:
    """The address in words: host, and port where there is one; empty where there is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if host and port else host
