"""Prepares a PDF for its seal: a copy with one more revision that holds an empty signature and the face.

No key and no certificate is needed, so this runs in a worker process. The approved bytes stay the prefix of
the prepared file; what is appended is one incremental update (ISO 32000-2 7.5.6, 12.8.1).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pikepdf import Array, Dictionary, Object

from signer import pages
from signer.appearance import Artist, Face, Rect, ink_for, stamp, widget_entries
from signer.byte_layout import RESERVED_HEX_DIGITS, Layout
from signer.errors import PlacementError
from signer.locks import Protection, SignatureField, find_empty, protect, signature_fields
from signer.pages import SealPage, page_at, page_of
from signer.structure import Structure, entries, opened
from signer.update import Update, text_string

_FIELD_NAME = "YinxinSeal"
_HOLE = b"<%s>" % (b"0" * RESERVED_HEX_DIGITS)
# Twelve digits reach a terabyte; the array is padded with blanks, so that offsets are known before it is.
_BYTE_RANGE_WIDTH = len(b"[0 ] ") + 3 * 13
_HIDDEN_FLAGS = 1 | 2 | 32
_SIGNATURES_EXIST, _APPEND_ONLY = 1, 2


class Spot(Protocol):
    """The centre of a seal: ``page`` from 1, ``x`` and ``y`` in points of the page before rotation."""

    @property
    def page(self) -> int: ...

    @property
    def x(self) -> float: ...

    @property
    def y(self) -> float: ...


class Slice(Protocol):
    """One page's part of a seam seal: from ``left`` to ``right``, points from the left edge of the face."""

    @property
    def page(self) -> int: ...

    @property
    def left(self) -> float: ...

    @property
    def right(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the signature dictionary says about the signature."""

    signer_name: str
    reason: str
    location: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the seal stands: in an existing field or at spots, and across pages."""

    field: str | None
    spots: Sequence[Spot]
    seam: Sequence[Slice]


def prepare(  # noqa: PLR0913  one keyword for each thing the caller decides
    source: Path,
    target: Path,
    *,
    face: Face,
    spots: Sequence[Spot],
    seam: Sequence[Slice],
    field: str | None,
    final: bool,
    signer_name: str,
    reason: str,
    location: str,
    now: datetime,
) -> Layout:
    """Copy ``source`` to the new file ``target`` and append a revision with an empty signature.

    The seal stands in the existing empty signature field ``field``, or with its centre at the first of
    ``spots``; further spots and ``seam`` become stamps that share its drawing. ``final`` allows no change
    afterwards (DocMDP P=1). ``now`` is aware and goes to ``/M``. Raises ``DocumentRejectedError``,
    ``PlacementError`` and ``FileExistsError``; ``target`` is then not left behind.
    """
    statement = Statement(signer_name=signer_name, reason=reason, location=location, now=now)
    with opened(source) as structure:
        revision = _Revision(structure, face, Places(field=field, spots=spots, seam=seam))
        appended, layout = revision.write(statement, final=final)
    _write(source, target, layout.source_length, appended)
    return layout


class _Revision:
    """One sealing revision in the making."""

    def __init__(self, structure: Structure, face: Face, places: Places) -> None:
        self.structure = structure
        self.face = face
        self.places = places
        self.update = Update(structure)
        self.artist = Artist(self.update, face, ink_for(structure))
        self.fields = signature_fields(structure)
        self.catalog_entries: dict[str, bytes] = {}
        self.annotations: dict[int, list[bytes]] = {}
        self.pages: dict[int, SealPage] = {}

    def write(self, statement: Statement, *, final: bool) -> tuple[bytes, Layout]:
        """The bytes to append and where the contents lie in the whole file."""
        stamps = [*self.places.spots[0 if self.places.field else 1 :], *self.places.seam]
        if stamps and any(field.signature is not None for field in self.fields):
            raise PlacementError(
                "stamps-on-signed-file",
                "文件已有签名，骑缝章和附加印章会破坏原签名，不能加盖",
                "the file is signed already, and seam or further seals would break that signature",
            )
        target = find_empty(self.fields, self.places.field) if self.places.field else None
        name = target.name if target else self._new_name()
        protection = protect(self.structure, self.fields, target=target, name=name, final=final)
        signature = self.update.add(_signature_dictionary(statement, protection))
        if target:
            self._fill_field(target, signature, protection)
        else:
            self._new_field(name, signature, protection)
        self._place_stamps(statement.signer_name)
        self._finish_catalog(signature, protection)
        return self._assemble(signature, statement)

    def _new_name(self) -> str:
        form = self.structure.catalog.get("/AcroForm")
        listed = form.get("/Fields") if isinstance(form, Dictionary) else None
        taken = {str(each.get("/T")) for each in listed} if isinstance(listed, Array) else set()
        return next(
            name for count in range(1, len(taken) + 2) if (name := f"{_FIELD_NAME}{count}") not in taken
        )

    def _page(self, number: int) -> SealPage:
        if number not in self.pages:
            self.pages[number] = page_at(self.structure, number)
        return self.pages[number]

    def _around(self, spot: Spot) -> tuple[SealPage, Rect]:
        page, half = self._page(spot.page), self.face.diameter / 2
        rect = (spot.x - half, spot.y - half, spot.x + half, spot.y + half)
        page.require_inside(rect)
        return page, rect

    def _new_field(self, name: str, signature: bytes, protection: Protection) -> None:
        if not self.places.spots:
            raise PlacementError(
                "no-place", "没有给出印章位置，至少应有一处", "no place was given for the seal, one is needed"
            )
        page, rect = self._around(self.places.spots[0])
        widget = widget_entries(rect, self.artist.upright(page.rotation), page=page.reference)
        lock = (
            b" /Lock << /Type /SigFieldLock %s >>" % protection.field_lock if protection.field_lock else b""
        )
        field = self.update.add(
            b"<< %s /FT /Sig /T %s /V %s%s >>" % (widget, text_string(name), signature, lock)
        )
        self.annotations.setdefault(page.number, []).append(field)
        self._register(field)

    def _fill_field(self, target: SignatureField, signature: bytes, protection: Protection) -> None:
        widget = _widget(target)
        page = page_of(self.structure, widget)
        rect = _rectangle(widget)
        form = self._form_in(rect, target.name, page)
        lock = (
            b" /Lock << /Type /SigFieldLock %s >>" % protection.field_lock if protection.field_lock else b""
        )
        value = b" /V %s%s" % (signature, lock)
        without_value = ("/V", "/Lock") if protection.field_lock else ("/V",)
        appearance = b" /AP << /N %s >>" % form
        if widget.objgen == target.field.objgen:
            kept = entries(widget, "/AP", "/AS", *without_value)
            self.update.replace(widget, b"<< %s%s%s >>" % (kept, value, appearance))
        else:
            self.update.replace(target.field, b"<< %s%s >>" % (entries(target.field, *without_value), value))
            self.update.replace(widget, b"<< %s%s >>" % (entries(widget, "/AP", "/AS"), appearance))
        self._register(None)

    def _form_in(self, rect: Rect, name: str, page: SealPage) -> bytes:
        width, height = rect[2] - rect[0], rect[3] - rect[1]
        if min(width, height) < self.face.diameter:
            raise PlacementError(
                "field-too-small",
                f"签名域 {name} 为 {width:.1f}×{height:.1f} 点，放不下直径 {self.face.diameter:.1f} 点的印章",
                f"signature field {name} is {width:.1f}×{height:.1f} points, need {self.face.diameter:.1f}",
            )
        page.require_inside(rect)
        turned = page.rotation in {90, 270}
        return self.artist.centred(*((height, width) if turned else (width, height)), page.rotation)

    def _place_stamps(self, label: str) -> None:
        for spot in self.places.spots[0 if self.places.field else 1 :]:
            page, rect = self._around(spot)
            self._stamp(page, rect, self.artist.upright(page.rotation), label)
        for part in self.places.seam:
            page = self._page(part.page)
            rect = _at_edge(page, part.right - part.left, self.face.diameter)
            page.require_inside(rect)
            self._stamp(page, rect, self.artist.slice(part.left, part.right, page.rotation), label)
        for number, added in self.annotations.items():
            pages.annotate(self.structure, self.update, self._page(number), added)

    def _stamp(self, page: SealPage, rect: Rect, form: bytes, label: str) -> None:
        here = self.annotations.setdefault(page.number, [])
        name = f"{_FIELD_NAME}-{page.number}-{len(here) + 1}"
        here.append(self.update.add(stamp(rect, form, page=page.reference, name=name, label=label)))

    def _register(self, field: bytes | None) -> None:
        """Put a new field into the interactive form, which keeps its other entries, and set its flags."""
        form = self.structure.catalog.get("/AcroForm")
        flags = _SIGNATURES_EXIST | _APPEND_ONLY
        if not isinstance(form, Dictionary):
            self.catalog_entries["/AcroForm"] = b"<< /Fields [%s] /SigFlags %d >>" % (field or b"", flags)
            return
        changes: dict[str, bytes] = {}
        if form.get("/SigFlags") != flags:
            changes["/SigFlags"] = b"%d" % flags
        listed = form.get("/Fields")
        if field is not None:
            kept = [each.unparse() for each in listed] if isinstance(listed, Array) else []
            array = b"[%s]" % b" ".join([*kept, field])
            if isinstance(listed, Array) and listed.is_indirect:
                self.update.replace(listed, array)
            else:
                changes["/Fields"] = array
        if changes and form.is_indirect:
            self.update.replace(form, _dictionary(form, changes))
        elif changes:
            self.catalog_entries["/AcroForm"] = _dictionary(form, changes)

    def _finish_catalog(self, signature: bytes, protection: Protection) -> None:
        if protection.certifies:
            permissions = self.structure.catalog.get("/Perms")
            mine = {"/DocMDP": signature}
            if isinstance(permissions, Dictionary):
                self.catalog_entries["/Perms"] = _dictionary(permissions, mine)
            else:
                self.catalog_entries["/Perms"] = b"<< /DocMDP %s >>" % signature
        if self.catalog_entries:
            catalog = self.structure.catalog
            self.update.replace(catalog, _dictionary(catalog, self.catalog_entries))

    def _assemble(self, signature: bytes, statement: Statement) -> tuple[bytes, Layout]:
        start = self.structure.length
        offset = self.update.offset_of(signature)
        appended = bytearray(self.update.assemble(_identifier(self.structure, statement)))
        # Searched from the signature's own offset, before its texts: nothing in the file can stand in for it.
        contents = appended.index(b"/Contents <", offset - start) + len(b"/Contents ")
        length, after = start + len(appended), start + contents + len(_HOLE)
        byte_range = (0, start + contents, after, length - after)
        at = appended.index(b"/ByteRange [", offset - start) + len(b"/ByteRange ")
        appended[at : at + _BYTE_RANGE_WIDTH] = (b"[%d %d %d %d]" % byte_range).ljust(_BYTE_RANGE_WIDTH)
        layout = Layout(
            source_length=start,
            contents_offset=start + contents,
            contents_length=len(_HOLE),
            byte_range=byte_range,
            length=length,
        )
        return bytes(appended), layout


def _signature_dictionary(statement: Statement, protection: Protection) -> bytes:
    """ISO 32000-2 table 255, ETSI EN 319 142-1 6.3: the claimed signing time stands in ``/M``."""
    texts = {b"/Name": statement.signer_name, b"/Reason": statement.reason, b"/Location": statement.location}
    said = b"".join(b" %s %s" % (key, text_string(text)) for key, text in texts.items() if text)
    references = b" /Reference [%s]" % b" ".join(protection.references) if protection.references else b""
    made = statement.now.astimezone(UTC).strftime("(D:%Y%m%d%H%M%SZ)").encode()
    return (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
        b" /ByteRange %s/Contents %s /M %s%s%s >>"
        % (b"[0 ]".ljust(_BYTE_RANGE_WIDTH), _HOLE, made, said, references)
    )


def _identifier(structure: Structure, statement: Statement) -> bytes:
    """The changing half of the file identifier: the same for the same document and statement."""
    parts = structure.identifier() or (b"", b"")
    return sha256(b"%s%s%d%s" % (*parts, structure.length, repr(statement).encode())).digest()[:16]


def _dictionary(existing: Object, changes: dict[str, bytes]) -> bytes:
    changed = b" ".join(b"%s %s" % (key.encode(), value) for key, value in changes.items())
    return b"<< %s %s >>" % (entries(existing, *changes), changed)


def _widget(target: SignatureField) -> Object:
    """The only widget of a field, merged with it or its child."""
    children = target.field.get("/Kids")
    widgets = list(children) if isinstance(children, Array) else [target.field]
    if len(widgets) != 1 or "/Rect" not in widgets[0] or not widgets[0].is_indirect:
        raise PlacementError(
            "field-not-visible",
            f"签名域 {target.name} 应恰有一个可见部件，实有 {len(widgets)} 个",
            f"signature field {target.name} must have exactly one visible widget, found {len(widgets)}",
        )
    if int(widgets[0].get("/F", 0)) & _HIDDEN_FLAGS:
        raise PlacementError(
            "field-not-visible", f"签名域 {target.name} 被隐藏", f"signature field {target.name} is hidden"
        )
    return widgets[0]


def _rectangle(widget: Object) -> Rect:
    left, bottom, right, top = (float(each) for each in widget["/Rect"])
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _at_edge(page: SealPage, width: float, height: float) -> Rect:
    """A box at the right edge, half way up, as the reader sees the page."""
    left, bottom, right, top = page.box
    across, up = (left + right) / 2, (bottom + top) / 2
    match page.rotation:
        case 90:
            return across - height / 2, top - width, across + height / 2, top
        case 180:
            return left, up - height / 2, left + width, up + height / 2
        case 270:
            return across - height / 2, bottom, across + height / 2, bottom + width
        case _:
            return right - width, up - height / 2, right, up + height / 2


def _write(source: Path, target: Path, length: int, appended: bytes) -> None:
    """Copy file to file inside the kernel, then append; a half-written target is removed."""
    with source.open("rb") as read, target.open("xb") as written:
        try:
            _copy(read.fileno(), written.fileno(), length)
            written.seek(length)
            written.write(appended)
        except BaseException:
            target.unlink()
            raise


def _copy(source: int, target: int, length: int) -> None:
    done = 0
    while done < length:
        try:
            count = os.copy_file_range(source, target, length - done, done, done)
        except OSError:
            # Another file system, or one without the call.
            os.lseek(target, done, os.SEEK_SET)
            count = os.sendfile(target, source, done, length - done)
        if count == 0:
            raise OSError(f"the source ended after {done} of {length} bytes")
        done += count
