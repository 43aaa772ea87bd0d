"""Prepares a PDF for its seal: a copy with one more revision that holds an empty signature and the face.

No key and no certificate is needed, so this runs in a worker process. The approved bytes stay the prefix of
the prepared file; what is appended is one incremental update (ISO 32000-2 7.5.6, 12.8.1).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary

from signer.appearance import Artist, ink_for
from signer.byte_layout import Layout
from signer.errors import DocumentRejectedError, PlacementError
from signer.face import Face
from signer.locks import find_empty, protect, signature_fields
from signer.placement import Spot
from signer.revision import FIELD_NAME, Revision, Statement
from signer.structure import Structure, opened
from signer.update import Update


def prepare(  # noqa: PLR0913  one keyword for each thing the caller decides
    source: Path,
    target: Path,
    *,
    face: Face,
    spots: Sequence[Spot],
    seam: Sequence[Spot],
    field: str | None,
    final: bool,
    signer_name: str,
    reason: str,
    location: str,
    now: datetime,
) -> Layout:
    """Copy ``source`` to the new file ``target`` and append a revision with an empty signature.

    The seal stands in the existing empty signature field ``field``, or at the first of ``spots``; further
    spots and ``seam`` become stamps that share its drawing. ``final`` allows no change afterwards (DocMDP
    P=1). ``now`` is aware and goes to ``/M``. Raises ``DocumentRejectedError``, ``PlacementError`` and
    ``FileExistsError``; ``target`` is then not left behind.
    """
    statement = Statement(signer_name=signer_name, reason=reason, location=location, now=now)
    with _readable(), opened(source) as structure:
        artist = Artist(Update(structure), face, ink_for(structure))
        own, stamps = _divide(spots, seam, in_field=field is not None)
        revision = _revise(structure, artist, statement=statement, field=field, own=own, stamps=stamps, final=final)
        appended, layout = revision.assemble()
    _write(source, target, layout.source_length, appended)
    return layout


@contextmanager
def _readable() -> Iterator[None]:
    """Objects of another type than the format asks for come back as a refusal, never as an accident."""
    try:
        yield
    except (pikepdf.PdfError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DocumentRejectedError(
            "structure-unusable",
            f"文件结构中有类型不符的对象（{type(error).__name__}），无法追加",
            f"an object of the file is not of the type it should be ({type(error).__name__})",
        ) from error


def _divide(spots: Sequence[Spot], seam: Sequence[Spot], *, in_field: bool) -> tuple[Spot | None, list[Spot]]:
    """The place of the signature itself, and those of stamps."""
    if in_field:
        return None, [*spots, *seam]
    if not spots:
        raise PlacementError("no-place", "没有给出印章位置，至少应有一处", "no place was given, the seal needs one")
    return spots[0], [*spots[1:], *seam]


def _revise(
    structure: Structure,
    artist: Artist,
    *,
    statement: Statement,
    field: str | None,
    own: Spot | None,
    stamps: Sequence[Spot],
    final: bool,
) -> Revision:
    fields = signature_fields(structure)
    if stamps and any(each.signature is not None for each in fields):
        raise PlacementError(
            "stamps-on-signed-file",
            "文件已有签名，骑缝章和附加印章会破坏原签名，不能加盖",
            "the file is signed already, and a seam or further seals would break that signature",
        )
    target = find_empty(fields, field) if field else None
    name = target.name if target else _new_name(structure)
    protection = protect(structure, fields, target=target, name=name, final=final)
    revision = Revision(structure, artist, statement=statement, protection=protection)
    if target:
        revision.fill_field(target)
    elif own:
        revision.add_field(name, own)
    revision.add_stamps(stamps)
    return revision


def _new_name(structure: Structure) -> str:
    """A field name that no field of the form has."""
    form = structure.catalog.get("/AcroForm")
    listed = form.get("/Fields") if isinstance(form, Dictionary) else None
    fields = [each for each in listed if isinstance(each, Dictionary)] if isinstance(listed, Array) else []
    taken = {str(each.get("/T")) for each in fields}
    return next(name for count in range(1, len(taken) + 2) if (name := f"{FIELD_NAME}{count}") not in taken)


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
