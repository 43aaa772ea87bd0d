"""The revision that a seal adds: signature, field, face, stamps, and what the catalog must say about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from pikepdf import Dictionary, Object

from signer.annotations import SealPage, annotate, page_at, page_of
from signer.appearance import Artist, Rect, stamp, widget_entries
from signer.byte_layout import Layout
from signer.errors import PlacementError
from signer.form import changed, register
from signer.locks import Protection, SignatureField
from signer.marking import Marking
from signer.page import MM_PER_POINT
from signer.placement import Spot
from signer.signature_place import EMPTY_PLACE, assemble
from signer.structure import Structure, entries
from signer.update import Update, text_string
from signer.validation_data import ValidationData, store

FIELD_NAME = "YinxinSeal"
_HIDDEN_FLAGS = 1 | 2 | 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the signature dictionary says about the signature."""

    signer_name: str
    reason: str
    location: str
    now: datetime


class Revision:
    """One sealing revision in the making: parts are added in any order, then it is assembled once."""

    def __init__(self, structure: Structure, artist: Artist, *, statement: Statement, protection: Protection) -> None:
        self.structure = structure
        self.update: Update = artist.update
        self.artist = artist
        self.statement = statement
        self.protection = protection
        self.signature = self.update.add(_signature_dictionary(statement, protection))
        self._catalog: dict[str, bytes] = {}
        self._added: dict[int, list[bytes]] = {}
        self._pages: dict[int, SealPage] = {}

    def add_field(self, name: str, spot: Spot) -> None:
        """A new signature field ``name`` whose widget shows the face at ``spot``."""
        page, rect = self._at(spot)
        widget = widget_entries(rect, self.artist.upright(spot.rotation, spot.clip), page=page.reference)
        body = b"<< %s /FT /Sig /T %s%s >>" % (widget, text_string(name), self._field_entries())
        field = self.update.add(body)
        self._added.setdefault(page.number, []).append(field)
        self._catalog |= register(self.structure, self.update, field)

    def fill_field(self, target: SignatureField) -> None:
        """Sign in an existing empty field, which keeps its rectangle; the face stands in its middle."""
        widget = usable_widget(self.structure, target, self.artist.face.diameter)
        appearance = b" /AP << /N %s >>" % self._form_in(widget)
        written = ("/V", "/Lock") if self.protection.field_lock else ("/V",)
        kept = entries(widget, "/AP", "/AS", *written)
        self.update.replace(widget, b"<< %s%s%s >>" % (kept, self._field_entries(), appearance))
        self._catalog |= register(self.structure, self.update, None)

    def add_stamps(self, spots: Sequence[Spot]) -> None:
        """The face, or slices of it, at more places; they are covered by the same signature."""
        for spot in spots:
            page, rect = self._at(spot)
            here = self._added.setdefault(page.number, [])
            name = f"{FIELD_NAME}-{page.number}-{len(here) + 1}"
            form, label = self.artist.upright(spot.rotation, spot.clip), self.statement.signer_name
            here.append(self.update.add(stamp(rect, form, page=page.reference, name=name, label=label)))

    def add_check_mark(self, marking: Marking) -> None:
        """A check mark as one more stamp, covered by the same signature."""
        page, rect = self._at(marking.spot)
        form = self.artist.black(marking.drawing, marking.spot.rotation)
        body = stamp(rect, form, page=page.reference, name=f"{FIELD_NAME}-check", label=marking.drawing.label)
        self._added.setdefault(page.number, []).append(self.update.add(body))

    def add_validation_data(self, data: ValidationData) -> None:
        """Certificates and revocation data, covered by the same signature."""
        self._catalog |= store(self.structure, self.update, data)

    def assemble(self) -> tuple[bytes, Layout]:
        """The bytes to append, and where the contents lie in the whole file."""
        for number, added in self._added.items():
            annotate(self.structure, self.update, self._page(number), added)
        self._finish_catalog()
        return assemble(self.update, self.signature, self._identifier())

    def _page(self, number: int) -> SealPage:
        if number not in self._pages:
            self._pages[number] = page_at(self.structure, number)
        return self._pages[number]

    def _at(self, spot: Spot) -> tuple[SealPage, Rect]:
        page = self._page(spot.page_index + 1)
        rect = (spot.x, spot.y, spot.x + spot.width, spot.y + spot.height)
        page.require_inside(rect)
        return page, rect

    def _field_entries(self) -> bytes:
        lock = self.protection.field_lock
        return b" /V %s%s" % (self.signature, b" /Lock << /Type /SigFieldLock %s >>" % lock if lock else b"")

    def _form_in(self, widget: Object) -> bytes:
        """The face in the middle of the widget, in points as the reader sees it."""
        page = page_of(self.structure, widget)
        width, height = _size(widget, page)
        rotation = page.geometry.rotate
        return self.artist.centred(*((height, width) if rotation in {90, 270} else (width, height)), rotation)

    def _finish_catalog(self) -> None:
        catalog = self.structure.catalog
        if self.protection.certifies:
            permissions = catalog.get("/Perms", Dictionary())
            self._catalog["/Perms"] = changed(permissions, {"/DocMDP": self.signature})
        if self._catalog:
            self.update.replace(catalog, changed(catalog, self._catalog))

    def _identifier(self) -> bytes:
        """The changing half of the file identifier: the same for the same document and statement."""
        parts = self.structure.identifier() or (b"", b"")
        said = b"%s%s%d%s" % (*parts, self.structure.length, repr(self.statement).encode())
        return sha256(said).digest()[:16]


def _signature_dictionary(statement: Statement, protection: Protection) -> bytes:
    """ISO 32000-2 table 255, ETSI EN 319 142-1 6.3: the claimed signing time stands in ``/M``."""
    texts = {b"/Name": statement.signer_name, b"/Reason": statement.reason, b"/Location": statement.location}
    said = b"".join(b" %s %s" % (key, text_string(text)) for key, text in texts.items() if text)
    references = b" /Reference [%s]" % b" ".join(protection.references) if protection.references else b""
    made = statement.now.astimezone(UTC).strftime("(D:%Y%m%d%H%M%SZ)").encode()
    return b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached %s /M %s%s%s >>" % (
        EMPTY_PLACE, made, said, references,
    )  # fmt: skip


def usable_widget(structure: Structure, target: SignatureField, diameter: float) -> Object:
    """The field ``target``, which must be its own visible widget with room for a seal of ``diameter`` points.

    poppler finds no signature in a widget apart. Raises ``PlacementError``: ``field-not-visible``, ``field-too-small``,
    and as :meth:`signer.annotations.SealPage.require_inside`.
    """
    widget = target.field
    usable = widget.is_indirect and "/Rect" in widget and "/Kids" not in widget
    if not usable or int(widget.get("/F", 0)) & _HIDDEN_FLAGS:
        raise PlacementError(
            "field-not-visible",
            f"签名域 {target.name} 应与其唯一部件合为一个可见对象",
            f"signature field {target.name} must be one visible object together with its only widget",
        )
    page = page_of(structure, widget)
    page.require_inside(_rectangle(widget))
    width, height = _size(widget, page)
    if min(width, height) < diameter:
        raise PlacementError(
            "field-too-small",
            f"签名域 {target.name} 为 {width:.1f}×{height:.1f} 点，放不下直径 {diameter:.1f} 点的印章",
            f"signature field {target.name} is {width:.1f}×{height:.1f} points, the seal needs {diameter:.1f}",
        )
    return widget


def _size(widget: Object, page: SealPage) -> tuple[float, float]:
    """Width and height of the widget in 1/72 inch, before the page is turned."""
    left, bottom, right, top = _rectangle(widget)
    unit = page.geometry.mm / MM_PER_POINT
    return (right - left) * unit, (top - bottom) * unit


def _rectangle(widget: Object) -> Rect:
    left, bottom, right, top = (float(each) for each in widget["/Rect"])
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)
