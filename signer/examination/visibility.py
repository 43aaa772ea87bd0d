"""Text that is there and cannot be seen, as far as that can be told.

A page is looked at object by object (PDFium) only when its content gives a reason: a text rendering mode,
paint or an image after text, white or nearly transparent ink, a crop box, an annotation with a look of its
own. What is told: text without paint, white text on nothing, text under a later opaque rectangle or image,
content outside the crop box, text under an annotation. A page that is one scanned image with recognised text
passes. What is not told: cover by strokes, curves and patterns, text clipped away, ink of the paper's colour.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from signer.errors import DocumentRejectedError
from signer.examination.annotations import area
from signer.examination.content import SHOWS, gives_reason
from signer.examination.document import MOST_DECODED, Document, is_reference
from signer.examination.objection import Objection
from signer.examination.pages import Page

Box = tuple[float, float, float, float]

_SEEN_WITHOUT_PAINT = frozenset({"/Link", "/Popup"})
_SCAN_SHARE = 0.85
_SLACK = 1.0  # points: rounding of boxes, not a place to hide anything
_OPAQUE, _FAINT, _WHITEST = 255, 13, 250
_CORNERS = 4
_DEEPEST_FORM = 12
_UNPAINTED = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True, slots=True)
class _Item:
    """An object of the page; ``box`` in the page's own coordinates, through all forms around it."""

    kind: int
    box: Box
    covers: bool
    ink: tuple[int, int, int, int] | None
    """Red, green, blue, opacity of its fill, 0 to 255; None where it has none."""


def hidden(document: Document, source: str, pages: list[Page], trusted_until: int) -> Iterator[Objection]:
    """Look at the pages that give a reason. Annotations written before ``trusted_until`` are signed already."""
    forms = [
        b"\n" + document.decoded(name)
        for name in document.streams
        if document.name(document.objects[name], "/Subtype") == "/Form"
    ]
    forms_show = any(SHOWS.search(content) for content in forms)
    look_at_all = _has_faint_ink(document) or any(gives_reason(content) for content in forms)
    suspects = [
        (index, page, overlays)
        for index, page in enumerate(pages)
        if (overlays := _overlays(document, page, trusted_until))
        or look_at_all
        or _cropped(page)
        or gives_reason(_content(document, page), forms_show=forms_show)
    ]
    if suspects:
        yield from _look(source, suspects)


def _has_faint_ink(document: Document) -> bool:
    """Whether a graphics state makes paint all but transparent (11.6.4.4)."""
    return any(
        isinstance(opacity, int | float) and opacity * _OPAQUE < _FAINT
        for found in document.dictionaries()
        for key in ("/ca", "/CA")
        if key in found.dictionary and (opacity := document.get(found.dictionary, key)) is not None
    )


def _content(document: Document, page: Page) -> bytes:
    value = document.resolve(page.dictionary.get("/Contents"))
    references = value if isinstance(value, list) else [page.dictionary.get("/Contents")]
    parts, total = [], 0
    for reference in references:
        if is_reference(reference) and reference[:-2] in document.streams:
            parts.append(document.decoded(reference[:-2]))
            total += len(parts[-1])
        if total > MOST_DECODED:
            raise DocumentRejectedError(
                "decoded-too-large",
                f"页面 {page.name} 的内容解码后超过 {MOST_DECODED} 字节",
                f"The content of page {page.name} decodes to more than {MOST_DECODED} bytes",
            )
    return b"\n" + b"\n".join(parts)


def _cropped(page: Page) -> bool:
    return any(abs(crop - media) > _SLACK for crop, media in zip(page.crop, page.media, strict=True))


def _overlays(document: Document, page: Page, trusted_until: int) -> list[tuple[str, Box]]:
    """Boxes of annotations with a look that is neither a link nor a signature."""
    found = []
    for reference in document.array(page.dictionary.get("/Annots")):
        annotation = document.dictionary(reference)
        box = area(document, annotation)
        kind = document.name(annotation, "/Subtype")
        is_signature = kind == "/Widget" and document.get(annotation, "/FT") == "/Sig"
        if not box or kind in _SEEN_WITHOUT_PAINT or is_signature or "/AP" not in annotation:
            continue
        name = reference[:-2] if is_reference(reference) else page.name
        if not document.offsets.get(name, trusted_until) < trusted_until:
            found.append((name, box))
    return found


def _look(source: str, suspects: list[tuple[int, Page, list[tuple[str, Box]]]]) -> Iterator[Objection]:
    try:
        with pypdfium2.PdfDocument(source) as pdf:
            for index, page, overlays in suspects:
                shown = pdf[index]
                yield from _judge(page, [_item(one) for one in shown.get_objects(max_depth=_DEEPEST_FORM)])
                yield from _under(page, shown, overlays)
    except pypdfium2.PdfiumError as error:
        raise DocumentRejectedError("malformed", "页面内容无法读取", "The content of a page cannot be read") from error


def _item(shown: pypdfium2.PdfObject) -> _Item:
    box = _box(shown)
    return _Item(shown.type, box, _covers(shown, box), _ink(shown))


def _box(shown: pypdfium2.PdfObject) -> Box:
    try:
        left, bottom, right, top = shown.get_bounds()
        while shown.container:
            shown = shown.container
            left, bottom, right, top = shown.get_matrix().on_rect(left, bottom, right, top)
    except pypdfium2.PdfiumError:
        return (0.0, 0.0, 0.0, 0.0)
    return (left, bottom, right, top)


def _ink(shown: pypdfium2.PdfObject) -> tuple[int, int, int, int] | None:
    if shown.type == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(shown.raw) in _UNPAINTED:
        return (0, 0, 0, 0)
    parts = [ctypes.c_uint() for _ in range(4)]
    if not raw.FPDFPageObj_GetFillColor(shown.raw, *parts):
        return None
    red, green, blue, opacity = (part.value for part in parts)
    return (red, green, blue, opacity)


def _covers(shown: pypdfium2.PdfObject, box: Box) -> bool:
    """Whether nothing below shows through: an image without transparency, or a filled opaque rectangle."""
    if raw.FPDFPageObj_HasTransparency(shown.raw):
        return False
    if shown.type == raw.FPDF_PAGEOBJ_IMAGE:
        return True
    return shown.type == raw.FPDF_PAGEOBJ_PATH and _is_filled(shown) and _is_rectangle(shown, box)


def _is_filled(shown: pypdfium2.PdfObject) -> bool:
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    ink = _ink(shown)
    return bool(raw.FPDFPath_GetDrawMode(shown.raw, mode, stroke) and mode.value and ink and ink[3] == _OPAQUE)


def _is_rectangle(shown: pypdfium2.PdfObject, box: Box) -> bool:
    """Whether the path is more than a line and all its points are corners."""
    if box[2] - box[0] <= _SLACK or box[3] - box[1] <= _SLACK:
        return False
    count = raw.FPDFPath_CountSegments(shown.raw)
    if not _CORNERS <= count <= _CORNERS + 2:
        return False
    corners = set()
    for index in range(count):
        x, y = ctypes.c_float(), ctypes.c_float()
        raw.FPDFPathSegment_GetPoint(raw.FPDFPath_GetPathSegment(shown.raw, index), x, y)
        corners.add((round(x.value, 2), round(y.value, 2)))
    sides = {x for x, _ in corners}, {y for _, y in corners}
    return len(corners) == _CORNERS and all(len(places) == 2 for places in sides)  # noqa: PLR2004  two each way


def _judge(page: Page, items: list[_Item]) -> Iterator[Objection]:
    texts = [(index, item) for index, item in enumerate(items) if item.kind == raw.FPDF_PAGEOBJ_TEXT]
    images = [item for item in items if item.kind == raw.FPDF_PAGEOBJ_IMAGE]
    is_scan = any(_is_scan(item, page) for item in images)
    covers = [(index, item) for index, item in enumerate(items) if item.covers and not _is_scan(item, page)]
    if any(later > index and _inside(item.box, cover.box) for index, item in texts for later, cover in covers):
        yield _objection(
            page, "content-covered", "有文字被后画的不透明图形盖住", "has text under an opaque shape drawn later"
        )
    if not is_scan and any(_is_unseen(item, items[:index]) for index, item in texts):
        yield _objection(
            page,
            "text-unpainted",
            "有不显示的文字，且页面不是扫描图像",
            "has text that is not painted and is not a scan",
        )
    if _cropped(page) and any(_outside(item.box, page.crop) for item in [*images, *(item for _, item in texts)]):
        yield _objection(page, "crop-box-differs", "在裁剪框之外还有内容", "has content outside its crop box")


def _is_unseen(text: _Item, before: list[_Item]) -> bool:
    """Without paint, or white with nothing painted before it where it stands."""
    if text.ink is None or text.box[2] <= text.box[0]:
        return False
    *colour, opacity = text.ink
    if opacity < _FAINT:
        return True
    return min(colour) >= _WHITEST and not any(
        item.kind != raw.FPDF_PAGEOBJ_TEXT and not _outside(item.box, text.box) for item in before
    )


def _under(page: Page, shown: pypdfium2.PdfPage, overlays: list[tuple[str, Box]]) -> Iterator[Objection]:
    if not overlays:
        return
    text = shown.get_textpage()
    for name, (left, bottom, right, top) in overlays:
        if text.get_text_bounded(left, bottom, right, top).strip():
            yield Objection(
                code="annotation-over-content",
                zh=f"注释对象 {name} 盖住了页面 {page.name} 的文字",
                en=f"The annotation {name} lies over text of page {page.name}",
                object=name,
            )


def _is_scan(item: _Item, page: Page) -> bool:
    left, bottom, right, top = (
        max(item.box[0], page.crop[0]),
        max(item.box[1], page.crop[1]),
        min(item.box[2], page.crop[2]),
        min(item.box[3], page.crop[3]),
    )
    whole = (page.crop[2] - page.crop[0]) * (page.crop[3] - page.crop[1])
    return (
        item.kind == raw.FPDF_PAGEOBJ_IMAGE and max(0.0, right - left) * max(0.0, top - bottom) >= _SCAN_SHARE * whole
    )


def _inside(inner: Box, outer: Box) -> bool:
    return (
        inner[2] > inner[0]
        and inner[3] > inner[1]
        and outer[0] - _SLACK <= inner[0]
        and outer[1] - _SLACK <= inner[1]
        and inner[2] <= outer[2] + _SLACK
        and inner[3] <= outer[3] + _SLACK
    )


def _outside(box: Box, crop: Box) -> bool:
    return box[2] < crop[0] or box[3] < crop[1] or box[0] > crop[2] or box[1] > crop[3]


def _objection(page: Page, code: str, zh: str, en: str) -> Objection:
    return Objection(code=code, zh=f"页面 {page.name} {zh}", en=f"Page {page.name} {en}", object=page.name)
