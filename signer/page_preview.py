"""Pages of a document as a person sees them before it is sealed, with the places where the seal will stand.

Pictures are drawn from the very bytes that will be sealed, and places found by the code that seals. Runs in a
worker process.
"""

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pypdfium2
from PIL import Image, ImageChops

from signer.face import Face
from signer.marking import displayed
from signer.page import MM_PER_POINT, PageGeometry, page_geometries, unreadable
from signer.page_pictures import Pictures, pictures
from signer.placement import Spot, require_page
from signer.seal_places import SealPlaces

MOST_PAGES: Final = 12
MOST_BYTES: Final = 10_000_000
"""Characters of base64 in one answer."""
COARSEST_DPI, FINEST_DPI = 36, 150
_DRAWN_COLOURS: Final = 4096
"""A page with more colours than this shows a photograph."""
_PALETTE: Final = 256
_FURTHEST: Final = 24
"""Of 255: how far a colour may be from that of the page before a picture is no palette of it."""

Answer = dict[str, Any]


def preview(
    path: Path, *, pages: Sequence[int] | None, dpi: int, face: Face | None = None, places: SealPlaces | None = None
) -> Answer:
    """The pages ``pages`` (from 1, at most 12; None: those with the seal, then the first) of the PDF at ``path``.

    What is answered, and raised, stands at :func:`signer.desk.preview_document`.
    """
    geometries = page_geometries(path)
    standing = _standing(places, geometries) if places else []
    wanted = _wanted(len(geometries), pages, standing)
    shown, left_out = _shown(path, geometries, wanted, max(COARSEST_DPI, min(FINEST_DPI, dpi)))
    return {
        "page_count": len(geometries),
        "pages": shown,
        "left_out": left_out,
        "face": {"svg": face.svg(), "diameter_mm": str(face.diameter_mm)} if face else None,
        "seals": standing,
    }


def _wanted(count: int, pages: Sequence[int] | None, standing: Sequence[Answer]) -> list[int]:
    if pages is None:
        sealed = [each["page"] for each in standing if each["kind"] == "seal"]
        return sorted(list(dict.fromkeys([*sealed, *range(1, count + 1)]))[:MOST_PAGES])
    for number in pages:
        require_page(count, number)
    return sorted(set(pages))[:MOST_PAGES]


def _shown(
    path: Path, geometries: Sequence[PageGeometry], wanted: Sequence[int], dpi: int
) -> tuple[list[Answer], list[int]]:
    shown, left_out, total = [], [], 0
    try:
        with pictures(path) as drawn:
            if drawn.count != len(geometries):
                raise unreadable()
            for number in wanted:
                page = _page(drawn, number, geometries[number - 1], dpi)
                total += len(page["picture"])
                if total > MOST_BYTES:
                    left_out.append(number)
                    total -= len(page["picture"])
                else:
                    shown.append(page)
    except pypdfium2.PdfiumError as error:
        raise unreadable() from error
    return shown, left_out


def _page(drawn: Pictures, number: int, geometry: PageGeometry, dpi: int) -> Answer:
    # PDFium knows no UserUnit: a page in larger units is drawn so much finer, to have the resolution asked for.
    picture = drawn.render(number - 1, dpi * geometry.unit)
    packed = pack(picture)
    return {
        "number": number,
        "width_mm": round(geometry.width_mm, 2),
        "height_mm": round(geometry.height_mm, 2),
        "width_pt": round(geometry.width_mm / MM_PER_POINT, 2),
        "height_pt": round(geometry.height_mm / MM_PER_POINT, 2),
        "pixels": list(picture.size),
        "media_type": packed.media_type,
        "picture": b64encode(packed.data).decode(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A picture as a file for browsers."""

    media_type: str
    data: bytes


def pack(picture: Image.Image) -> Packed:
    """The RGB ``picture`` as it is smallest and sharp.

    Grey pages as PNG without loss; drawn pages in few colours as PNG with a palette, no colour further than 24 of 255
    from the page's; the rest, which show photographs, as JPEG.
    """
    red, green, blue = picture.split()
    if not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(green, blue).getbbox():
        return _png(red)
    if picture.getcolors(_DRAWN_COLOURS) is not None:
        reduced = picture.quantize(_PALETTE, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        if _near(picture, reduced.convert("RGB")):
            return _png(reduced)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, subsampling=0)
    return Packed(media_type="image/jpeg", data=out.getvalue())


def _near(picture: Image.Image, other: Image.Image) -> bool:
    red, green, blue = ImageChops.difference(picture, other).split()
    furthest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return furthest.point(lambda value: 255 if value > _FURTHEST else 0).getbbox() is None


def _png(picture: Image.Image) -> Packed:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return Packed(media_type="image/png", data=out.getvalue())


def _standing(places: SealPlaces, geometries: Sequence[PageGeometry]) -> list[Answer]:
    """Every place as JSON: on which page, in parts of its size and in millimetres."""
    found = [_place("seal", spot, geometries) for spot in places.spots]
    found += [_place("seam", spot, geometries) for spot in places.seam]
    if places.marking:
        label = {"label": places.marking.drawing.label}
        found.append(_place("check_mark", places.marking.spot, geometries) | label)
    return found


def _place(kind: str, spot: Spot, geometries: Sequence[PageGeometry]) -> Answer:
    geometry = geometries[spot.page_index]
    left, top, right, bottom = displayed(spot, geometry)
    width, height = geometry.width_mm, geometry.height_mm
    return {
        "kind": kind,
        "page": spot.page_index + 1,
        "x": round(left / width, 6),
        "y": round(top / height, 6),
        "width": round((right - left) / width, 6),
        "height": round((bottom - top) / height, 6),
        "left_mm": round(left, 2),
        "top_mm": round(top, 2),
        "width_mm": round(right - left, 2),
        "height_mm": round(bottom - top, 2),
        "clip": list(spot.clip),
    }
