"""What differs between two revisions of a file, thing by thing. What is allowed is not asked here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pikepdf

from signer.page import Box
from verify.object_comparison import Numbers, ObjectComparison
from verify.page_marks import Field, Mark, fields, marks, text_of
from verify.pdf_syntax import FileBytes
from verify.revision_bytes import revision_bytes

Kind = Literal[
    "annotation_added",
    "annotation_removed",
    "annotation_changed",
    "field_added",
    "field_removed",
    "field_renamed",
    "field_changed",
    "signature_field_added",
    "signature_added",
    "timestamp_added",
    "signature_changed",
    "signature_removed",
    "page_added",
    "page_removed",
    "pages_reordered",
    "page_content",
    "page_resources",
    "page_shape",
    "page_entry",
    "validation_data",
    "properties",
    "title",
    "document_entry",
    "structure",
    "form_entry",
]

_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_SHAPE = frozenset({"/MediaBox", "/CropBox", "/Rotate", "/UserUnit"})
_SEPARATELY = frozenset({"/Annots", "/Parent", "/Contents", "/Resources", "/Type", "/StructParents", "/Tabs"})
_CATALOG_SEPARATELY = frozenset({"/Pages", "/AcroForm", "/DSS", "/Extensions", "/Metadata", "/Type"})
_FREE_PROPERTIES = frozenset({"/ModDate", "/Producer", "/CreationDate", "/Creator", "/Trapped"})
_FORM_SEPARATELY = frozenset({"/Fields", "/SigFlags"})
_MOST_PAGES = 20_000
_DEEPEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    ``page`` from 1, in the file as it is now; ``box`` in user space; ``what`` is a kind of annotation, the name of a
    field or the key of an entry, as written in the file.
    """

    kind: Kind
    page: int | None = None
    what: str = ""
    box: Box | None = None
    before: str = ""
    after: str = ""


def changes_since(data: FileBytes, length: int, written: Iterable[Numbers]) -> tuple[Change, ...]:
    """What the file says otherwise than its first ``length`` bytes did.

    ``written``: the objects of the later revisions, by number and generation. Raises ``pikepdf.PdfError`` and
    :class:`verify.object_comparison.TooMuchToCompareError`.
    """
    before = pikepdf.open(revision_bytes(data, length), attempt_recovery=False, suppress_warnings=True)
    after = pikepdf.open(revision_bytes(data), attempt_recovery=False, suppress_warnings=True)
    with before, after:
        return tuple(_Review(before, after, ObjectComparison(written)).run())


class _Review:
    def __init__(self, before: pikepdf.Pdf, after: pikepdf.Pdf, comparison: ObjectComparison) -> None:
        self.before, self.after, self.comparison = before, after, comparison
        self.old_fields, self.new_fields = fields(before), fields(after)
        self.told: set[str] = set()

    def run(self) -> Iterator[Change]:
        yield from self._pages()
        yield from self._fields()
        yield from self._document()

    def _pages(self) -> Iterator[Change]:
        old = {page.objgen: page for page in _page_objects(self.before)}
        new = {page.objgen: (number, page) for number, page in enumerate(_page_objects(self.after), 1)}
        for number, numbers in enumerate(old, 1):
            if numbers not in new:
                yield Change(kind="page_removed", what=str(number))
        kept = [numbers for numbers in new if numbers in old]
        if kept != [numbers for numbers in old if numbers in new]:
            yield Change(kind="pages_reordered")
        for numbers, (number, page) in new.items():
            if numbers not in old:
                yield Change(kind="page_added", page=number)
                self.told |= {each.field for each in marks(page) if each.field}
            else:
                yield from self._page(number, old[numbers], page)

    def _page(self, number: int, old: pikepdf.Object, new: pikepdf.Object) -> Iterator[Change]:
        if not self.comparison.same(old.get("/Contents"), new.get("/Contents")):
            yield Change(kind="page_content", page=number)
        if not self.comparison.same(_inherited(old, "/Resources"), _inherited(new, "/Resources")):
            yield Change(kind="page_resources", page=number, what=self._resources(old, new))
        for key in sorted((set(old.keys()) | set(new.keys()) | set(_INHERITED)) - _SEPARATELY):
            was, is_now = _inherited(old, key), _inherited(new, key)
            if not self.comparison.same(was, is_now):
                yield Change(kind="page_shape" if key in _SHAPE else "page_entry", page=number, what=key)
        yield from self._marks(number, marks(old), marks(new))

    def _resources(self, old: pikepdf.Object, new: pikepdf.Object) -> str:
        """Which kinds of resources differ, by their keys."""
        was, is_now = _inherited(old, "/Resources"), _inherited(new, "/Resources")
        if not isinstance(was, pikepdf.Dictionary) or not isinstance(is_now, pikepdf.Dictionary):
            return ""
        keys = sorted(set(was.keys()) | set(is_now.keys()))
        return " ".join(key for key in keys if not self.comparison.same(was.get(key), is_now.get(key)))

    def _marks(self, number: int, old: list[Mark], new: list[Mark]) -> Iterator[Change]:
        before = {each.key: each for each in old}
        for mark in new:
            earlier = before.pop(mark.key, None)
            yield from self._added(number, mark) if earlier is None else self._kept(number, earlier, mark)
        for mark in before.values():
            kind: Kind = "signature_removed" if mark.is_signature else "annotation_removed"
            yield Change(kind=kind, page=number, what=mark.field or mark.kind, box=mark.box)

    def _added(self, number: int, mark: Mark) -> Iterator[Change]:
        if mark.field is None or mark.field_type is None:
            yield Change(kind="annotation_added", page=number, what=mark.kind, box=mark.box)
            return
        self.told.add(mark.field)
        if mark.field in self.old_fields or not self._is_new(mark.field):
            kind: Kind = "signature_changed" if mark.is_signature else "annotation_added"
            yield Change(kind=kind, page=number, what=mark.field if mark.is_signature else mark.kind, box=mark.box)
        else:
            yield _new_field(number, mark)

    def _is_new(self, name: str) -> bool:
        """Whether a field of another name was not there under the same number."""
        field = self.new_fields.get(name)
        return field is None or field.key not in {each.key for each in self.old_fields.values()}

    def _kept(self, number: int, old: Mark, new: Mark) -> Iterator[Change]:
        if old.field is None and new.field is None:
            if not self.comparison.same(old.annotation, new.annotation):
                yield Change(kind="annotation_changed", page=number, what=new.kind, box=new.box)
            return
        signed_now = new.is_signature and old.value is None and new.value is not None
        if signed_now:
            self.told.add(new.field or "")
            yield _new_field(number, new)
        elif not self.comparison.same(old.annotation, new.annotation, without=("/V",)):
            if new.is_signature:
                self.told.add(new.field or "")
                yield Change(kind="signature_changed", page=number, what=new.field or "", box=new.box)
            elif old.field != new.field:
                yield Change(kind="field_renamed", page=number, before=old.field or "", after=new.field or "")
            elif self.comparison.same(old.value, new.value):
                yield Change(kind="field_changed", page=number, what=new.field or "", box=new.box)

    def _fields(self) -> Iterator[Change]:
        renamed = {each.key: name for name, each in self.new_fields.items() if name not in self.old_fields}
        for name, old in self.old_fields.items():
            new = self.new_fields.get(name)
            if new is None and old.key in renamed:
                self.told.add(renamed[old.key])
                yield Change(kind="field_renamed", before=name, after=renamed[old.key])
            elif new is None:
                yield Change(kind="signature_removed" if old.kind == "Sig" else "field_removed", what=name)
            elif name not in self.told:
                yield from self._field(name, old, new)
        for name, new in self.new_fields.items():
            if name not in self.old_fields and name not in self.told:
                yield _bare_field(name, new)

    def _field(self, name: str, old: Field, new: Field) -> Iterator[Change]:
        same_value = self.comparison.same(old.value, new.value)
        if old.kind == "Sig" and old.value is None and new.value is not None:
            yield _bare_field(name, new)
        elif old.kind == "Sig" and not (same_value and self.comparison.same(old.dictionary, new.dictionary)):
            yield Change(kind="signature_changed", what=name)
        elif old.kind != new.kind:
            yield Change(kind="field_removed", what=name)
        elif not same_value:
            yield Change(kind="field_changed", what=name, before=_shown(old.value), after=_shown(new.value))

    def _document(self) -> Iterator[Change]:
        old, new = self.before.Root, self.after.Root
        if not self.comparison.same(old.get("/DSS"), new.get("/DSS")):
            yield Change(kind="validation_data")
        if not self.comparison.same(old.get("/Metadata"), new.get("/Metadata")):
            yield Change(kind="properties", what="/Metadata")
        for key in sorted((set(old.keys()) | set(new.keys())) - _CATALOG_SEPARATELY):
            if not self.comparison.same(old.get(key), new.get(key)):
                yield Change(
                    kind="structure" if key in {"/StructTreeRoot", "/MarkInfo"} else "document_entry", what=key
                )
        yield from self._form(old.get("/AcroForm"), new.get("/AcroForm"))
        yield from self._properties()

    def _form(self, old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401  whatever the file has there
        was = old if isinstance(old, pikepdf.Dictionary) else pikepdf.Dictionary()
        is_now = new if isinstance(new, pikepdf.Dictionary) else pikepdf.Dictionary()
        for key in sorted((set(was.keys()) | set(is_now.keys())) - _FORM_SEPARATELY):
            if not self.comparison.same(was.get(key), is_now.get(key)):
                yield Change(kind="form_entry", what=key)

    def _properties(self) -> Iterator[Change]:
        was, is_now = self.before.trailer.get("/Info"), self.after.trailer.get("/Info")
        old = was if isinstance(was, pikepdf.Dictionary) else pikepdf.Dictionary()
        new = is_now if isinstance(is_now, pikepdf.Dictionary) else pikepdf.Dictionary()
        for key in sorted(set(old.keys()) | set(new.keys())):
            if not self.comparison.same(old.get(key), new.get(key)):
                kind: Kind = "properties" if key in _FREE_PROPERTIES else "title"
                yield Change(kind=kind, what=key, before=_shown(old.get(key)), after=_shown(new.get(key)))


def _page_objects(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    return [page.obj for page in list(pdf.pages)[:_MOST_PAGES]]


def _inherited(page: pikepdf.Object, key: str) -> Any:  # noqa: ANN401  whatever the file has there
    node: Any = page
    for _ in range(_DEEPEST):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        if key in node:
            return node[key]
        if key not in _INHERITED:
            return None
        node = node.get("/Parent")
    return None


def _new_field(number: int, mark: Mark) -> Change:
    name = mark.field or ""
    kind: Kind = "field_added"
    if mark.is_signature:
        kind = "signature_field_added" if mark.value is None else "signature_added"
        if mark.is_timestamp and not mark.visible:
            kind = "timestamp_added"
    return Change(kind=kind, page=number, what=name, box=mark.box if mark.visible else None)


def _bare_field(name: str, field: Field) -> Change:
    """A new field that has no widget on any page, or one that stands on no page's list."""
    if field.kind != "Sig":
        return Change(kind="field_added", what=name)
    if field.value is None:
        return Change(kind="signature_field_added", what=name)
    is_timestamp = isinstance(field.value, pikepdf.Dictionary) and text_of(field.value.get("/Type")) == "DocTimeStamp"
    return Change(kind="timestamp_added" if is_timestamp else "signature_added", what=name)


def _shown(value: Any) -> str:  # noqa: ANN401  whatever the file has there
    if isinstance(value, pikepdf.Name | pikepdf.String):
        return text_of(value)
    return "" if value is None or isinstance(value, pikepdf.Object) else str(value)
