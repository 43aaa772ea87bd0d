"""The pages of a judged file as pictures for people, with where the seals stand and where the page has changed."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from PIL.Image import Image

from signer.page import Box
from signer.page_pictures import Pictures
from verify.case import mapped
from verify.changes import nothing_follows
from verify.page_marks import Mark, marks
from verify.page_pictures import pictures
from verify.pdf_syntax import FileBytes
from verify.rendering import chosen_pages, compare
from verify.revision_bytes import revision_bytes
from verify.signature_reading import open_reader, read_signatures

MOST_PAGES = 12
MOST_BYTES = 10_000_000
_SLOWEST_DPI, _FINEST_DPI = 36, 150


def show_document(
    *, document: str, revision_length: int | None = None, pages: list[int] | None = None, dpi: int = 72
) -> dict[str, Any]:
    """The pages ``pages`` (from 1; None: the changed ones, then others, at most 12) of the file at ``document``.

    ``revision_length``: show the file as it was when it had that many bytes. Answers ``page_count``,
    ``signed_length`` (where the first signature's revision ends, when more follows it) and ``pages``, each with
    ``number``, ``width_mm``, ``height_mm``, ``png`` (base64), ``seals`` (``field``, ``x``, ``y``, ``width``,
    ``height`` in parts of the page as shown), ``changed`` (rectangles likewise) and ``before`` (the signed page
    where it looks different). ``left_out``: pages that would make the answer too large. ``dpi``: 36 to 150. Raises what
    the readers raise: it runs in a worker.
    """
    dpi = max(_SLOWEST_DPI, min(_FINEST_DPI, dpi))
    with mapped(Path(document)) as (_, data):
        signed = _signed_length(Path(document)) if revision_length is None else None
        changed = _changed(data, signed)
        with pictures(data, revision_length) as shown:
            wanted = _wanted(shown.count, pages, changed)
            seals = _seals(data, revision_length, wanted)
            entries, left_out = _entries(shown, wanted, dpi=dpi, seals=seals, changed=changed)
            count = shown.count
        if signed is not None and changed:
            _add_before(entries, data, signed, dpi=dpi)
        return {"page_count": count, "signed_length": signed, "pages": entries, "left_out": left_out}


def _signed_length(path: Path) -> int | None:
    """Where the revision of the first signature ends; None when nothing follows it or nothing can be read."""
    with mapped(path) as (stream, data):
        try:
            readings = read_signatures(data, open_reader(stream)[0]).readings
        except Exception:  # noqa: BLE001  whatever a parser raises, judging says it
            return None
        if not readings or nothing_follows(data, readings[0]):
            return None
        return readings[0].written.covered_end


def _changed(data: FileBytes, signed: int | None) -> dict[int, tuple[Box, ...]]:
    if signed is None:
        return {}
    return {each.number: each.boxes for each in compare(data, signed).differences}


def _wanted(count: int, pages: list[int] | None, changed: dict[int, tuple[Box, ...]]) -> list[int]:
    if pages is None:
        return chosen_pages(count, [*changed, *range(1, min(count, MOST_PAGES) + 1)], MOST_PAGES)
    return sorted({each for each in pages if 1 <= each <= count})[:MOST_PAGES]


def _seals(data: FileBytes, length: int | None, wanted: list[int]) -> dict[int, list[Mark]]:
    """The visible signature widgets of the pages, by page; a file that qpdf cannot read shows none."""
    try:
        with pikepdf.open(revision_bytes(data, length), suppress_warnings=True) as pdf:
            return {
                number: [each for each in marks(pdf.pages[number - 1].obj) if each.is_signature and each.visible]
                for number in wanted
                if number <= len(pdf.pages)
            }
    except pikepdf.PdfError:
        return {}


def _entries(
    shown: Pictures,
    wanted: list[int],
    *,
    dpi: int,
    seals: dict[int, list[Mark]],
    changed: dict[int, tuple[Box, ...]],
) -> tuple[list[dict[str, Any]], list[int]]:
    entries: list[dict[str, Any]] = []
    left_out: list[int] = []
    total = 0
    for number in wanted:
        picture = _png(shown.render(number - 1, dpi))
        total += len(picture)
        if total > MOST_BYTES:
            left_out.append(number)
            continue
        width, height = shown.size_mm(number - 1)
        entries.append(
            {
                "number": number,
                "width_mm": round(width, 1),
                "height_mm": round(height, 1),
                "png": picture,
                "before": None,
                "seals": [
                    {"field": mark.field, **_place(shown.shown_at(number - 1, mark.box))}
                    for mark in seals.get(number, [])
                ],
                "changed": [_place(box) for box in changed.get(number, ())],
            }
        )
    return entries, left_out


def _add_before(entries: list[dict[str, Any]], data: FileBytes, signed: int, *, dpi: int) -> None:
    """The pages that look different, as they were signed."""
    total = sum(len(entry["png"]) for entry in entries)
    with pictures(data, signed) as before:
        for entry in entries:
            if not entry["changed"] or entry["number"] > before.count:
                continue
            picture = _png(before.render(entry["number"] - 1, dpi))
            total += len(picture)
            if total <= MOST_BYTES:
                entry["before"] = picture


def _png(picture: Image) -> str:
    out = BytesIO()
    picture.save(out, "PNG")
    return b64encode(out.getvalue()).decode()


def _place(part: Box) -> dict[str, float]:
    left, top, right, bottom = part
    return {"x": left, "y": top, "width": round(right - left, 4), "height": round(bottom - top, 4)}
