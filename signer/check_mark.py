"""The check mark beside a seal: its check code as words, or as a QR code with the same words.

A reader of the paper finds the official page by its address in words, not by trusting a square that anybody can
print. Drawn like the face: outlines only, no font, no image, black.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Literal
from urllib.parse import urlsplit

import segno

from signer.errors import SignerError
from signer.face import POINTS_PER_MM, STEPS, operators
from signer.glyphs import glyphs
from signer.layout import Affine, Shape

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
class _Words:
    """Lines of text as figures, in millimetres: left edge at 0, first line below 0."""

    shapes: tuple[Shape, ...]
    width: float
    height: float


def drawings(mark: CheckMark) -> Iterator[Drawing]:
    """The ways to draw ``mark``, best first: a QR code with the words beside or below it, then the words alone.

    Raises ``MissingGlyphError`` and ``SignerError`` (``check-address-too-long``).
    """
    if mark.form == "qr":
        code, address, number = mark.lines
        words = _words((*code.split(" ", 1), address, number), mark.code)
        symbol, module = _symbol(mark.url)
        side = module * (len(symbol) + 2 * QUIET_ZONE)
        high, wide = max(side, words.height), max(side, words.width)
        yield _drawing(
            mark,
            (side + _GAP_MM + words.width, high),
            _modules(symbol, module, (0, high - side)),
            _placed(words, side + _GAP_MM, (high + words.height) / 2),
        )
        yield _drawing(
            mark,
            (wide, side + words.height),
            _modules(symbol, module, ((wide - side) / 2, words.height)),
            _placed(words, (wide - words.width) / 2, words.height),
        )
    words = _words(mark.lines, mark.lines[0])
    yield _drawing(replace(mark, form="code"), (words.width, words.height), b"", _placed(words, 0, words.height))


def _drawing(mark: CheckMark, size: tuple[float, float], symbol: bytes, words: bytes) -> Drawing:
    return Drawing(
        form=mark.form, width_mm=size[0], height_mm=size[1], operators=symbol + words, label="\n".join(mark.lines)
    )


def _symbol(url: str) -> tuple[tuple[bytearray, ...], float]:
    """The matrix of a QR code at error correction M without its quiet zone, and the size of a module."""
    symbol = segno.make(url, error="m", boost_error=False, micro=False).matrix
    module = min(_MODULE_MM, LARGEST_QR_MM / (len(symbol) + 2 * QUIET_ZONE))
    if module < LEAST_MODULE_MM:
        raise SignerError(
            "check-address-too-long",
            f"查验网址长 {len(url)} 个字符，二维码在 {LARGEST_QR_MM:g} 毫米内放不下",
            f"a QR code of the address ({len(url)} characters) does not fit into {LARGEST_QR_MM:g} mm",
        )
    return symbol, module


def _modules(symbol: Sequence[Sequence[int]], module: float, corner: tuple[float, float]) -> bytes:
    """The dark modules as rectangles, one for each run in a row; ``corner`` is the lower left of the quiet zone.

    All edges lie on one grid of rounded numbers, so that neighbours touch.
    """
    scale = POINTS_PER_MM * STEPS
    across = [round((corner[0] + module * (QUIET_ZONE + n)) * scale) for n in range(len(symbol) + 1)]
    up = [round((corner[1] + module * (QUIET_ZONE + len(symbol) - n)) * scale) for n in range(len(symbol) + 1)]
    lines = [f"q {1 / STEPS} 0 0 {1 / STEPS} 0 0 cm"]
    for row, modules in enumerate(symbol):
        for start, end in _runs(modules):
            lines.append(f"{across[start]} {up[row + 1]} {across[end] - across[start]} {up[row] - up[row + 1]} re")
    return "\n".join([*lines, "f Q\n"]).encode("ascii")


def _runs(modules: Sequence[int]) -> Iterator[tuple[int, int]]:
    at = 0
    for dark, run in groupby(modules):
        length = len(list(run))
        if dark:
            yield at, at + length
        at += length


def _words(lines: Iterable[str], widest: str) -> _Words:
    """Lines that are as wide as ``widest`` at most: narrowed a little where they are longer, then broken."""
    width = _width(widest)
    broken = [part for line in lines for part in _broken(line, width / _NARROWEST)]
    shapes = [
        shape
        for number, line in enumerate(broken)
        for shape in _line(line, min(1.0, width / _width(line)), -LEADING_MM * (number + _BASELINE))
    ]
    return _Words(shapes=tuple(shapes), width=width, height=LEADING_MM * len(broken))


def _broken(line: str, width: float) -> Iterator[str]:
    start = 0
    for end in range(1, len(line) + 1):
        if _width(line[start:end]) > width:
            yield line[start : end - 1]
            start = end - 1
    yield line[start:]


def _line(text: str, squeeze: float, baseline: float) -> Iterator[Shape]:
    at = 0.0
    for each in glyphs(text):
        yield Affine(EM_MM * squeeze, 0, 0, EM_MM, at, baseline).apply(each.segments)
        at += each.advance * EM_MM * squeeze


def _width(text: str) -> float:
    return sum(each.advance for each in glyphs(text)) * EM_MM


def _placed(words: _Words, x: float, y: float) -> bytes:
    scale = POINTS_PER_MM * STEPS
    to_box = Affine(scale, 0, 0, scale, x * scale, y * scale)
    return operators(to_box.apply(shape) for shape in words.shapes if shape)


def _host(url: str) -> str:
    """The address in words: host, and port where there is one; empty where there is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if host and port else host
