"""Prepares a PDF for its seal: a copy with one more revision that holds an empty signature and the face.

No key and no certificate is needed, so this runs in a worker process. The approved bytes stay the prefix of
the prepared file; what is appended is one incremental update (ISO 32000-2 7.5.6, 12.8.1).
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from signer.appearance import Artist, ink_for
from signer.byte_layout import Layout
from signer.errors import PlacementError
from signer.extended_file import write_extended
from signer.face import Face
from signer.form import new_name
from signer.locks import find_empty, protect, signature_fields
from signer.marking import Marking
from signer.placement import Spot
from signer.revision import FIELD_NAME, Revision, Statement
from signer.structure import Structure, opened, readable
from signer.update import Update
from signer.validation_data import ValidationData


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
    validation_data: ValidationData | None = None,
    marking: Marking | None = None,
) -> Layout:
    """Copy ``source`` to the new file ``target`` and append a revision with an empty signature.

    The seal stands in the existing empty signature field ``field``, or at the first of ``spots``; further
    spots and ``seam`` become stamps that share its drawing, and ``marking`` one more. ``final`` allows no change
    afterwards (DocMDP P=1). ``now`` is aware and goes to ``/M``. ``validation_data`` goes into the same revision.
    Raises ``DocumentRejectedError``, ``PlacementError`` and ``FileExistsError``; ``target`` is then not left behind.
    """
    statement = Statement(signer_name=signer_name, reason=reason, location=location, now=now)
    with readable(), opened(source) as structure:
        artist = Artist(Update(structure), face, ink_for(structure))
        own, stamps = _divide(spots, seam, in_field=field is not None)
        revision = _revise(structure, artist, statement=statement, field=field, own=own, stamps=stamps, final=final)
        if marking:
            revision.add_check_mark(marking)
        if validation_data:
            revision.add_validation_data(validation_data)
        appended, layout = revision.assemble()
    write_extended(source, target, layout.source_length, appended)
    return layout


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
        refuse_stamps()
    target = find_empty(fields, field) if field else None
    name = target.name if target else new_name(structure, FIELD_NAME)
    protection = protect(structure, fields, target=target, name=name, final=final)
    revision = Revision(structure, artist, statement=statement, protection=protection)
    if target:
        revision.fill_field(target)
    elif own:
        revision.add_field(name, own)
    revision.add_stamps(stamps)
    return revision


def refuse_stamps() -> NoReturn:
    """Raise the refusal of seam and further seals on a file that is signed."""
    raise PlacementError(
        "stamps-on-signed-file",
        "文件已有签名，骑缝章和附加印章会破坏原签名，不能加盖",
        "the file is signed already, and a seam or further seals would break that signature",
    )
