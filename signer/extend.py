"""Extends a sealed PDF for the long term: one revision with validation data and an empty document time-stamp.

ISO 32000-2 12.8.4.3 and 12.8.5, EN 319 142-1 5.4. Both are permitted behind a seal that locks the document (DocMDP
P=1, 12.8.2.2): the time-stamp's field shows nothing. Runs in a worker process, like :mod:`signer.prepare`.
"""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from signer.annotations import annotate, page_at
from signer.appearance import WIDGET_FLAGS
from signer.byte_layout import Layout
from signer.errors import DocumentRejectedError
from signer.extended_file import write_extended
from signer.form import changed, new_name, register
from signer.locks import signature_fields
from signer.signature_place import EMPTY_PLACE, assemble
from signer.structure import Structure, opened, readable
from signer.update import Update, text_string
from signer.validation_data import ValidationData, store

FIELD_NAME = "YinxinTimestamp"
_TIME_STAMP = b"<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161 %s >>" % EMPTY_PLACE


def extend(source: Path, target: Path, *, validation_data: ValidationData, now: datetime) -> Layout:
    """Copy the signed PDF ``source`` to the new file ``target`` and append the revision.

    The token itself says the time; ``now`` is aware and only makes the file identifier another one. Raises
    ``DocumentRejectedError`` (``not-signed``, or as :func:`signer.structure.opened`) and ``FileExistsError``;
    ``target`` is then not left behind.
    """
    with readable(), opened(source) as structure:
        _require_signature(structure)
        update = Update(structure)
        time_stamp = update.add(_TIME_STAMP)
        catalog = store(structure, update, validation_data) | _add_field(structure, update, time_stamp)
        if catalog:
            update.replace(structure.catalog, changed(structure.catalog, catalog))
        appended, layout = assemble(update, time_stamp, _identifier(structure, now))
    write_extended(source, target, layout.source_length, appended)
    return layout


def _require_signature(structure: Structure) -> None:
    if not any(field.signature is not None for field in signature_fields(structure)):
        raise DocumentRejectedError(
            "not-signed",
            "文件没有签名，长期保存的时间戳应加在已签名的文件上",
            "the file has no signature, an archive time-stamp is for a file that is signed",
        )


def _add_field(structure: Structure, update: Update, time_stamp: bytes) -> dict[str, bytes]:
    """A field without an area on the first page, as viewers add it themselves."""
    page = page_at(structure, 1)
    field = update.add(
        b"<< /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F %d /P %s /FT /Sig /T %s /V %s >>"
        % (WIDGET_FLAGS, page.reference, text_string(new_name(structure, FIELD_NAME)), time_stamp)
    )
    annotate(structure, update, page, [field])
    return register(structure, update, field)


def _identifier(structure: Structure, now: datetime) -> bytes:
    parts = structure.identifier() or (b"", b"")
    return sha256(b"%s%s%d%s" % (*parts, structure.length, now.astimezone(UTC).isoformat().encode())).digest()[:16]
