"""The annotations of a page, and the form fields they belong to (ISO 32000-2 12.5, 12.7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf

from signer.page import Box

Key = tuple[int, int, bytes]
"""Object number and generation; for an annotation that is no object of its own, 0, 0 and its bytes."""

_HIDDEN, _NO_VIEW = 2, 32  # bits of /F, ISO 32000-2 table 167
_DEEPEST = 32
_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One annotation. ``box`` in user space; ``field`` is the full name of its form field, if it has one."""

    key: Key
    annotation: pikepdf.Object
    kind: str
    box: Box
    field: str | None
    field_type: str | None
    value: Any

    @property
    def visible(self) -> bool:
        """Whether it has an area and is not hidden."""
        flags = self.annotation.get("/F", 0)
        hidden = isinstance(flags, int) and flags & (_HIDDEN | _NO_VIEW)
        return not hidden and self.box[0] != self.box[2] and self.box[1] != self.box[3]

    @property
    def is_signature(self) -> bool:
        """Whether it is the widget of a signature field."""
        return self.field_type == "Sig"

    @property
    def is_timestamp(self) -> bool:
        """Whether its field holds a document time-stamp."""
        value = self.value
        return isinstance(value, pikepdf.Dictionary) and text_of(value.get("/Type")) == "DocTimeStamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One form field with a full name."""

    key: Key
    dictionary: pikepdf.Object
    kind: str | None
    value: Any


def marks(page: pikepdf.Object) -> list[Mark]:
    """The annotations of ``page`` in order; what is no dictionary is left out."""
    listed = page.get("/Annots")
    if not isinstance(listed, pikepdf.Array):
        return []
    return [_mark(each) for each in list(listed)[:_MOST] if isinstance(each, pikepdf.Dictionary)]


def _mark(annotation: pikepdf.Object) -> Mark:
    kind = text_of(annotation.get("/Subtype")) or "?"
    line = list(_upwards(annotation))
    is_field = kind == "Widget"
    return Mark(
        key=key_of(annotation),
        annotation=annotation,
        kind=kind,
        box=_box(annotation.get("/Rect")),
        field=".".join(reversed([text_of(each.get("/T")) for each in line if "/T" in each])) if is_field else None,
        field_type=text_of(next((each["/FT"] for each in line if "/FT" in each), None)) or None,
        value=next((each["/V"] for each in line if "/V" in each), None) if is_field else None,
    )


def key_of(value: pikepdf.Object) -> Key:
    """What makes an annotation or a field the same one in two revisions."""
    number, generation = value.objgen
    return (number, generation, b"") if number else (0, 0, value.unparse())


def _upwards(node: Any) -> Iterator[pikepdf.Object]:  # noqa: ANN401  whatever the file has there
    for _ in range(_DEEPEST):
        if not isinstance(node, pikepdf.Dictionary):
            return
        yield node
        node = node.get("/Parent")


def _box(value: Any) -> Box:  # noqa: ANN401  whatever the file has there
    try:
        left, bottom, right, top = (float(each) for each in value)
    except (TypeError, ValueError):
        return 0.0, 0.0, 0.0, 0.0
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def fields(pdf: pikepdf.Pdf) -> dict[str, Field]:
    """All form fields that have a name, by their full names. A name that stands twice gets a number behind it."""
    form = pdf.Root.get("/AcroForm")
    top = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    found: dict[str, Field] = {}
    waiting: list[tuple[pikepdf.Object, str, str | None, Any, int]]
    waiting = [(each, "", None, None, 0) for each in _listed(top)]
    while waiting and len(found) < _MOST:
        node, prefix, kind, value, depth = waiting.pop()
        own = text_of(node.get("/T")) if "/T" in node else ""
        name = f"{prefix}.{own}".strip(".")
        kind = text_of(node.get("/FT")) or kind
        value = node.get("/V", value)
        children = [each for each in _listed(node.get("/Kids")) if "/T" in each]
        if children and depth < _DEEPEST:
            waiting += [(each, name, kind, value, depth + 1) for each in children]
            continue
        while name in found:
            name += "#"
        found[name] = Field(key=key_of(node), dictionary=node, kind=kind, value=value)
    return found


def _listed(value: Any) -> list[pikepdf.Object]:  # noqa: ANN401  whatever the file has there
    if not isinstance(value, pikepdf.Array):
        return []
    return [each for each in list(value)[:_MOST] if isinstance(each, pikepdf.Dictionary)]


def text_of(value: Any) -> str:  # noqa: ANN401  whatever the file has there
    """A name without its slash or a text string; an empty text for anything else."""
    if isinstance(value, pikepdf.Name):
        return str(value)[1:]
    return str(value) if isinstance(value, pikepdf.String) else ""
