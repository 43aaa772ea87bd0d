"""All places that a seal takes in a document: found once, for the preview and for the seal itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from signer.check_mark import CheckMark
from signer.locks import find_empty, signature_fields
from signer.marking import Marking, mark_beside
from signer.page import page_geometries
from signer.placement import AtField, Placement, Spot, seam_slices
from signer.prepare import refuse_stamps
from signer.revision import usable_widget
from signer.structure import opened, readable
from signer.text import PageText, locate


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlaces:
    """``spots`` of the whole seal, ``seam`` slices, ``marking`` where a check mark was asked for.

    ``field``: the existing signature field in whose middle the seal stands.
    """

    spots: tuple[Spot, ...]
    seam: tuple[Spot, ...] = ()
    marking: Marking | None = None
    field: str | None = None


def find_places(
    path: Path,
    where: Placement,
    diameter: float,
    *,
    mark: CheckMark | None = None,
    texts: Sequence[PageText] | None = None,
) -> SealPlaces:
    """Where a seal of ``diameter`` points stands in the PDF at ``path``, and ``mark`` beside it.

    ``texts`` spares a second reading. Raises as :func:`signer.text.locate`, :func:`signer.placement.seam_slices` and
    :func:`signer.marking.mark_beside`.
    """
    seam = seam_slices(page_geometries(path), diameter, where.seam_y_mm) if where.seam else []
    spots = locate(path, where, diameter, texts=texts)
    return SealPlaces(
        spots=tuple(spots),
        seam=tuple(seam),
        marking=mark_beside(path, mark, [*spots, *seam]) if mark else None,
        field=where.name if isinstance(where, AtField) else None,
    )


def foreseen_places(path: Path, where: Placement, diameter: float, *, mark: CheckMark | None = None) -> SealPlaces:
    """As :func:`find_places`, of a file that was not prepared: what preparing would refuse is refused here.

    A file that is signed already gets no check mark. Raises further ``DocumentRejectedError`` of a file that cannot be
    updated, and ``PlacementError`` (``stamps-on-signed-file``, ``field-not-visible``, ``field-too-small``).
    """
    with readable(), opened(path) as structure:
        fields = signature_fields(structure)
        signed = any(each.signature is not None for each in fields)
        places = find_places(path, where, diameter, mark=None if signed else mark)
        if signed and places.seam:
            refuse_stamps()
        if places.field:
            usable_widget(structure, find_empty(fields, places.field), diameter)
    return places
