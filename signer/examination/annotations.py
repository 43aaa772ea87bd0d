"""Annotations that look different on screen, in print, under the pointer or from reader to reader (12.5)."""

from collections.abc import Iterator

from signer.examination.document import Document, Found
from signer.examination.objection import Objection

_REFUSED = {
    "/3D": "3D", "/RichMedia": "RichMedia", "/Movie": "Movie", "/Screen": "Screen", "/Sound": "Sound",
    "/TrapNet": "TrapNet", "/Watermark": "Watermark", "/FileAttachment": "FileAttachment",
}  # fmt: skip
_DRAWN = frozenset(
    {
        "/Text", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight", "/Underline",
        "/Squiggly", "/StrikeOut", "/Caret", "/Stamp", "/Ink", "/Redact", "/Projection", "/PrinterMark",
    }
)  # fmt: skip
_WITHOUT_LOOK = frozenset({"/Link", "/Popup"})
KINDS = frozenset(_REFUSED) | _DRAWN | _WITHOUT_LOOK | {"/Widget"}
_HIDDEN, _PRINT, _NO_VIEW, _TOGGLE_NO_VIEW = 2, 4, 32, 256


def annotations(document: Document, found: Found) -> Iterator[Objection]:
    """One dictionary that is an annotation: it has a /Rect and one of the annotation subtypes."""
    dictionary = found.dictionary
    kind = document.name(dictionary, "/Subtype")
    if kind not in KINDS or "/Rect" not in dictionary or found.is_stream:
        return
    if kind in _REFUSED:
        yield _objection(found, "annotation-kind", f"注释类型 {_REFUSED[kind]}", f"annotation of kind {_REFUSED[kind]}")
        return
    yield from _flags(document, found, kind)
    yield from _appearance(document, found, kind)


def _flags(document: Document, found: Found, kind: str) -> Iterator[Objection]:
    flags = document.get(found.dictionary, "/F") or 0
    if not isinstance(flags, int):
        yield _objection(found, "annotation-flags", "无效的注释标志", "annotation with invalid flags")
        return
    for bit, name in ((_HIDDEN, "Hidden"), (_NO_VIEW, "NoView"), (_TOGGLE_NO_VIEW, "ToggleNoView")):
        # An invisible signature is written as a hidden widget without an area; it has no look to change.
        if flags & bit and not (kind == "/Widget" and not area(document, found.dictionary)) and kind != "/Popup":
            yield _objection(found, "annotation-flags", f"带 {name} 标志的注释", f"annotation with the flag {name}")
            return
    if not flags & _PRINT and kind not in _WITHOUT_LOOK and area(document, found.dictionary):
        yield _objection(found, "annotation-flags", "显示但不打印的注释", "annotation that is shown but not printed")


def _appearance(document: Document, found: Found, kind: str) -> Iterator[Objection]:
    look = document.dictionary(found.dictionary.get("/AP"))
    for key in ("/R", "/D"):
        if key in look and look[key] != look.get("/N"):
            yield _objection(
                found,
                "annotation-changes-look",
                f"随鼠标变化外观（{key}）的注释",
                f"annotation that changes its look under the pointer ({key})",
            )
            return
    normal = look.get("/N")
    if kind in _DRAWN and isinstance(document.resolve(normal), dict) and not document.is_stream(normal):
        # Only a field has states to switch between.
        yield _objection(found, "annotation-changes-look", "有多种外观状态的注释", "annotation with several looks")
    elif kind in _DRAWN and document.resolve(normal) is None and area(document, found.dictionary):
        yield _objection(
            found,
            "annotation-without-look",
            "没有外观、由阅读器自行绘制的注释",
            "annotation whose look is left to the reader",
        )


def area(document: Document, dictionary: dict[str, object]) -> tuple[float, float, float, float] | None:
    """The annotation's rectangle (left, bottom, right, top, points), or None where it has no area."""
    values = [document.resolve(value) for value in document.array(dictionary.get("/Rect"))]
    if len(values) != 4 or not all(isinstance(value, int | float) for value in values):  # noqa: PLR2004  corners
        return None
    left, right = sorted((float(values[0]), float(values[2])))
    bottom, top = sorted((float(values[1]), float(values[3])))
    return (left, bottom, right, top) if right > left and top > bottom else None


def _objection(found: Found, code: str, zh: str, en: str) -> Objection:
    return Objection(
        code=code, zh=f"对象 {found.owner} 是{zh}", en=f"Object {found.owner} is an {en}", object=found.owner
    )
