"""What the reader sees: the face as one shared form, the signature's widget, and stamps beside it.

ISO 32000-2 12.5 (annotations) and 8.10 (forms). The face stands once in the file; a turned page, a field
larger than the face and a slice of a seam seal are small forms that draw it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import compress

from pikepdf import Array, Dictionary, Stream

from signer.check_mark import Drawing
from signer.face import POINTS_PER_MM, Face
from signer.structure import Structure
from signer.update import Update, number, numbers, text_string

Rect = tuple[float, float, float, float]
"""Left, bottom, right, top in points, in the space of the page before rotation."""

PRINT, READ_ONLY, LOCKED, LOCKED_CONTENTS = 4, 64, 128, 512
_STAMP_FLAGS = PRINT | READ_ONLY | LOCKED | LOCKED_CONTENTS
WIDGET_FLAGS = PRINT | LOCKED
_PDFA_PART = re.compile(rb"pdfaid:part\s*(?:>|=\s*[\"'])\s*(\d)")
# Columns a b c d of the matrix that turns a form against the page, so that the reader sees it upright.
_UPRIGHT = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """How red is written in this document: over an RGB output intent, blended or not."""

    device_rgb: bool
    multiply: bool


def ink_for(structure: Structure) -> Ink:
    """Red as the document's conformance allows it.

    PDF/A-1 forbids transparency (ISO 19005-1 6.4); PDF/A-2 and later allow it over an output intent
    (ISO 19005-2 6.2.10). Device colours need an RGB output intent (6.2.4.3), else red goes by an ICC profile.
    """
    part = _pdfa_part(structure)
    components = [_components(intent) for intent in _output_intents(structure)]
    return Ink(
        device_rgb=3 in components,  # noqa: PLR2004  red, green, blue
        multiply=part is None or (part != 1 and bool(components)),
    )


def _pdfa_part(structure: Structure) -> int | None:
    metadata = structure.catalog.get("/Metadata")
    found = _PDFA_PART.search(metadata.read_bytes()) if isinstance(metadata, Stream) else None
    return int(found[1]) if found else None


def _output_intents(structure: Structure) -> list[Dictionary]:
    intents = structure.catalog.get("/OutputIntents")
    return [each for each in intents if isinstance(each, Dictionary)] if isinstance(intents, Array) else []


def _components(intent: Dictionary) -> object:
    profile = intent.get("/DestOutputProfile")
    return profile.get("/N") if isinstance(profile, Stream) else None


@dataclass(slots=True)
class Artist:
    """Puts one face into an update, once, and gives forms that show it or a part of it."""

    update: Update
    face: Face
    ink: Ink
    _shared: bytes = b""
    _profile: bytes = b""

    def whole(self) -> bytes:
        """The form that draws the whole face in a box from 0 to its diameter."""
        if not self._shared:
            size = number(self.face.diameter)
            head, resources = self._ink()
            entries = b"/Type /XObject /Subtype /Form /BBox [0 0 %s %s] /Resources << %s >>" % (
                size,
                size,
                resources,
            )
            self._shared = self.update.add_stream(entries, _deflated(head + self.face.operators), deflated=True)
        return self._shared

    def upright(self, rotation: int, clip: tuple[float, float] = (0, 1)) -> bytes:
        """The face for a page that is shown turned by ``rotation`` degrees clockwise.

        ``clip`` is the part of its width that is drawn, from its left edge.
        """
        size = self.face.diameter
        if rotation == 0 and clip == (0, 1):
            return self.whole()
        return self._part((clip[0] * size, 0, clip[1] * size, size), (0, 0), rotation)

    def centred(self, width: float, height: float, rotation: int) -> bytes:
        """The face in the middle of a box of ``width`` and ``height`` points as the reader sees it."""
        size = self.face.diameter
        return self._part((0, 0, width, height), ((width - size) / 2, (height - size) / 2), rotation)

    def _part(self, box: Rect, origin: tuple[float, float], rotation: int) -> bytes:
        entries = b"/Type /XObject /Subtype /Form /BBox [%s]%s /Resources << /XObject << /Face %s >> >>" % (
            numbers(*box), _turned(rotation), self.whole(),
        )  # fmt: skip
        return self.update.add_stream(entries, b"q 1 0 0 1 %s cm /Face Do Q" % numbers(*origin))

    def black(self, drawing: Drawing, rotation: int) -> bytes:
        """The form of a check mark, for a page that is shown turned by ``rotation``."""
        box = numbers(0, 0, drawing.width_mm * POINTS_PER_MM, drawing.height_mm * POINTS_PER_MM)
        colour, spaces = self._colour(b"0 0 0")
        entries = b"/Type /XObject /Subtype /Form /BBox [%s]%s /Resources <<%s >>" % (box, _turned(rotation), spaces)
        return self.update.add_stream(entries, compress(colour + drawing.operators), deflated=True)

    def _ink(self) -> tuple[bytes, bytes]:
        """The operators before those of the face, and the resources they name."""
        states = b" /ExtGState << /Blend << /Type /ExtGState /BM /Multiply >> >>" if self.ink.multiply else b""
        colour, spaces = self._colour(b"1 0 0")
        return (b"/Blend gs " if self.ink.multiply else b"") + colour, spaces + states

    def _colour(self, rgb: bytes) -> tuple[bytes, bytes]:
        """The operators that set a colour for filling, and the colour space they name."""
        if self.ink.device_rgb:
            return rgb + b" rg ", b""
        if not self._profile:
            self._profile = self.update.add_stream(b"/N 3", _srgb(), deflated=True)
        return b"/Srgb cs %s scn " % rgb, b" /ColorSpace << /Srgb [/ICCBased %s] >>" % self._profile


def _turned(rotation: int) -> bytes:
    return b"" if rotation == 0 else b" /Matrix [%s 0 0]" % numbers(*_UPRIGHT[rotation])


@lru_cache(maxsize=64)
def _deflated(content: bytes) -> bytes:
    return compress(content)


@lru_cache(maxsize=1)
def _srgb() -> bytes:
    return compress((Path(__file__).parent / "data" / "srgb.icc").read_bytes())


def stamp(rect: Rect, form: bytes, *, page: bytes, name: str, label: str) -> bytes:
    """A stamp annotation showing ``form``, which a reader can neither move nor edit; ``name`` is unique."""
    return (b"<< /Type /Annot /Subtype /Stamp /Rect [%s] /F %d /P %s /NM %s /Contents %s /AP << /N %s >> >>") % (
        numbers(*rect),
        _STAMP_FLAGS,
        page,
        text_string(name),
        text_string(label),
        form,
    )


def widget_entries(rect: Rect, form: bytes, *, page: bytes) -> bytes:
    """The widget part of a new signature field."""
    return b"/Type /Annot /Subtype /Widget /Rect [%s] /F %d /P %s /AP << /N %s >>" % (
        numbers(*rect), WIDGET_FLAGS, page, form,
    )  # fmt: skip
