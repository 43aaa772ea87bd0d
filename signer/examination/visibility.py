"""Text that is there and cannot be seen, as far as that can be told.

A page is looked at object by object (PDFium) only when its content gives a reason: a text rendering mode,
paint or an image after text, a crop box, an annotation with a look of its own. What is told: text without
paint, text under a later opaque rectangle or image, content outside the crop box, text under an annotation.
A page that is one scanned image with recognised text passes.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from signer.errors import DocumentRejectedError
from signer.examination.annotations import area
from signer.examination.document import MOST_DECODED, Document, is_reference
from signer.examination.objection import Objection
from signer.examination.pages import Page

Box = tuple[float, float, float, float]

_EDGE, _AFTER = rb"[\s\x00()<>\[\]{}]", rb"(?=[\s\x00()<>\[\]{}/%]|\Z)"
# Operators as whole words. What stands before is looked at after the first letter: four times as fast.
_SHOWS = re.compile(rb"(?:T[Jj](?<=" + _EDGE + rb"..)|['\"](?<=" + _EDGE + rb"['\"]))" + _AFTER, re.DOTALL)
_PAINTS = re.compile(
    rb"(?:[fFBb](?<=" + _EDGE + rb"[fFBb])\*?|(?:sh|Do|BI)(?<=" + _EDGE + rb"[sDB].))" + _AFTER, re.DOTALL
)
_INLINE_IMAGE = re.compile(rb"BI(?<=" + _EDGE + rb"BI)" + _AFTER)
# A text rendering mode that is not plainly 0, 1 or 2, which paint.
_MODE = re.compile(rb"Tr(?<=" + _EDGE + rb"Tr)(?<!" + _EDGE + rb"[012][\s\x00]Tr)" + _AFTER)
# What is no operator: comments, strings with parentheses nested up to two deep, hexadecimal strings.
_QUOTED = re.compile(
    rb"%[^\r\n]*"
    rb"|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*+\))*+\))*+\)"
    rb"|<[0-9A-Fa-f\s]*>",
    re.DOTALL,
)
_SEEN_WITHOUT_PAINT = frozenset({"/Link", "/Popup"})
_SCAN_SHARE = 0.85
_SLACK = 1.0  # points: rounding of boxes, not a place to hide anything
_OPAQUE = 255
_UNPAINTED = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True, slots=True)
class _Item:
    kind: int
    box: Box
    unpainted: bool
    covers: bool


def hidden(document: Document, source: str, pages: list[Page], trusted_until: int) -> Iterator[Objection]:
    """Look at the pages that give a reason. Annotations written before ``trusted_until`` are signed already."""
    forms_hide = any(
        document.get(document.objects[name], "/Subtype") == "/Form" and _MODE.search(document.decoded(name))
        for name in document.streams
    )
    suspects = [
        (index, page, overlays)
        for index, page in enumerate(pages)
        if (overlays := _overlays(document, page, trusted_until))
        or forms_hide
        or _cropped(page)
        or _gives_reason(_content(document, page))
    ]
    if suspects:
        yield from _look(source, suspects)


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


def _gives_reason(content: bytes) -> bool:
    """Whether operators, looked for first in everything and then outside strings and comments, ask for a look."""
    if not _has_operators(content):
        return False
    bare = _QUOTED.sub(b" ", content)
    # A parenthesis that is left, or an inline image, may have misled the search: look.
    return b"(" in bare or b")" in bare or bool(_INLINE_IMAGE.search(content)) or _has_operators(bare)


def _has_operators(content: bytes) -> bool:
    first = _SHOWS.search(content)
    return bool(_MODE.search(content) or (first and _PAINTS.search(content, first.end())))


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
                yield from _judge(page, [_item(one) for one in shown.get_objects(max_depth=1)])
                yield from _under(page, shown, overlays)
                if any(_is_unpainted(one) for one in shown.get_objects(max_depth=8)):
                    yield from _unpainted(page, [_item(one) for one in shown.get_objects(max_depth=1)])
    except pypdfium2.PdfiumError as error:
        raise DocumentRejectedError("malformed", "页面内容无法读取", "The content of a page cannot be read") from error


def _item(shown: pypdfium2.PdfObject) -> _Item:
    try:
        box = tuple(shown.get_bounds())
    except pypdfium2.PdfiumError:
        box = (0.0, 0.0, 0.0, 0.0)
    return _Item(shown.type, box, _is_unpainted(shown), _covers(shown, box))


def _is_unpainted(shown: pypdfium2.PdfObject) -> bool:
    return shown.type == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(shown.raw) in _UNPAINTED


def _covers(shown: pypdfium2.PdfObject, box: Box) -> bool:
    """Whether nothing below shows through: an image without transparency, or a filled opaque rectangle."""
    if raw.FPDFPageObj_HasTransparency(shown.raw):
        return False
    if shown.type == raw.FPDF_PAGEOBJ_IMAGE:
        return True
    return shown.type == raw.FPDF_PAGEOBJ_PATH and _is_filled(shown) and _is_rectangle(shown, box)


def _is_filled(shown: pypdfium2.PdfObject) -> bool:
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    return bool(
        raw.FPDFPath_GetDrawMode(shown.raw, mode, stroke)
        and mode.value
        and raw.FPDFPageObj_GetFillColor(shown.raw, red, green, blue, alpha)
        and alpha.value == _OPAQUE
    )


def _is_rectangle(shown: pypdfium2.PdfObject, box: Box) -> bool:
    """Every point of the path is a corner: of few points, so that curves and letters are not looked at."""
    count = raw.FPDFPath_CountSegments(shown.raw)
    return 4 <= count <= 6 and box[2] - box[0] > _SLACK and box[3] - box[1] > _SLACK  # noqa: PLR2004  closed or not


def _judge(page: Page, items: list[_Item]) -> Iterator[Objection]:
    for index, item in enumerate(items):
        if item.kind == raw.FPDF_PAGEOBJ_TEXT and any(
            later.covers and _inside(item.box, later.box) and not _is_scan(later, page) for later in items[index + 1 :]
        ):
            yield _objection(
                page,
                "content-covered",
                "有文字被后画的不透明图形盖住",
                "has text under an opaque shape drawn later",
            )
            break
    if _cropped(page) and any(
        item.kind in (raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_IMAGE) and _outside(item.box, page.crop) for item in items
    ):
        yield _objection(page, "crop-box-differs", "在裁剪框之外还有内容", "has content outside its crop box")


def _unpainted(page: Page, items: list[_Item]) -> Iterator[Objection]:
    if not any(_is_scan(item, page) for item in items):
        yield _objection(
            page,
            "text-unpainted",
            "有不显示的文字，且页面不是扫描图像",
            "has text that is not painted and is not a scan",
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
