"""What a worker process does with a foreign PDF: look at it, read it, and prepare it for its seal.

Runs inside the sandbox, JSON in and JSON out; no key, certificate or secret is anywhere near. The
caller does not trust the prepared file beyond its appended revision: it hashes the approved prefix again.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from signer.check_mark import CheckMark
from signer.click import placement_at
from signer.errors import DocumentRejectedError
from signer.examine import examine
from signer.extend import extend
from signer.face import POINTS_PER_MM, draw
from signer.normalise import normalise
from signer.page import page_geometries
from signer.page_preview import preview
from signer.placement import parse_placement
from signer.prepare import prepare
from signer.seal_places import find_places, foreseen_places
from signer.specimen import Specimen
from signer.text import PageText, issuer_line, page_texts
from signer.validation_data import ValidationData
from signer.version_comparison import compare_versions

Answer = dict[str, Any]


def inspect_document(*, source: str, tolerated_fonts: list[str], allowed_attachments: list[str]) -> Answer:
    """Examine the file ``source`` and read its text.

    Answers ``length`` (bytes), ``pages`` (count), ``objections`` (code, zh, en, object), ``texts`` (one a page),
    ``issuer_line``. A file that is not a readable PDF comes back as one objection, never as an exception.
    """
    return _inspect(Path(source), tolerated_fonts, allowed_attachments).answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inspected:
    answer: Answer
    texts: list[PageText]
    signed: bool


def _inspect(path: Path, tolerated_fonts: list[str], allowed_attachments: list[str]) -> _Inspected:
    try:
        examination = examine(
            path, tolerated_fonts=tuple(tolerated_fonts), allowed_attachments=tuple(allowed_attachments)
        )
        texts = page_texts(path)
    except DocumentRejectedError as error:
        objection = {"code": error.code, "zh": error.zh, "en": error.en, "object": "file"}
        return _Inspected(answer=_answer(path.stat().st_size, [objection]), texts=[], signed=False)
    objections = [asdict(objection) for objection in examination.objections]
    answer = _answer(examination.length, objections, len(examination.pages)) | {
        "texts": [page.text for page in texts],
        "issuer_line": issuer_line(texts),
    }
    return _Inspected(answer=answer, texts=texts, signed=bool(examination.signatures))


def prepare_document(  # noqa: PLR0913  one frame of JSON; each member by name
    *,
    source: str,
    target: str,
    tolerated_fonts: list[str],
    allowed_attachments: list[str],
    placement: dict[str, Any],
    specimen: dict[str, Any],
    final: bool,
    signature: dict[str, str],
    now: str,
    validation_data: dict[str, list[str]] | None = None,
    check_mark: dict[str, str] | None = None,
) -> Answer:
    """Inspect ``source`` and, when nothing speaks against it, append an empty seal to a copy at ``target``.

    ``specimen`` has name, number, diameter_mm and sample; ``signature`` has name, reason and location; ``now`` is
    RFC 3339. ``validation_data`` has ``certificates``, ``crls`` and ``ocsps``, lists of base64 DER, and is stored in
    the same revision. ``check_mark`` has ``form`` (``code`` or ``qr``), ``code``, ``url`` and ``number``; a file that
    is signed already gets none. Answers what :func:`inspect_document` answers, ``layout`` (None when there are
    objections) and ``check_mark`` (:meth:`signer.marking.Marking.to_json`, or None). Raises ``PlacementError`` when
    seal or mark cannot stand where it was asked for, ``MissingGlyphError``, ``DocumentRejectedError`` when the
    file's structure or earlier signatures do not allow it, ``SignerError`` (``validation-data-malformed``,
    ``check-mark-malformed``, ``check-address-too-long``).
    """
    path, where = Path(source), parse_placement(placement)
    inspected = _inspect(path, tolerated_fonts, allowed_attachments)
    if inspected.answer["objections"]:
        return inspected.answer | {"layout": None, "check_mark": None}
    face = draw(Specimen.from_json(specimen))
    mark = CheckMark.from_json(check_mark) if check_mark is not None and not inspected.signed else None
    places = find_places(path, where, face.diameter, mark=mark, texts=inspected.texts)
    layout = prepare(
        path,
        Path(target),
        face=face,
        spots=() if places.field else places.spots,
        seam=places.seam,
        field=places.field,
        final=final,
        signer_name=signature["name"],
        reason=signature["reason"],
        location=signature["location"],
        now=datetime.fromisoformat(now),
        validation_data=None if validation_data is None else ValidationData.from_json(validation_data),
        marking=places.marking,
    )
    marked = places.marking.to_json() if places.marking else None
    return inspected.answer | {"layout": layout.to_json(), "check_mark": marked}


def extend_document(*, source: str, target: str, validation_data: dict[str, list[str]], now: str) -> Answer:
    """Append validation data and an empty document time-stamp to a copy of the sealed file ``source`` at ``target``.

    Answers ``layout``, for :func:`signer.archive_file.measure_archive`. Raises as :func:`signer.extend.extend`, and
    ``SignerError`` (``validation-data-malformed``).
    """
    data = ValidationData.from_json(validation_data)
    layout = extend(Path(source), Path(target), validation_data=data, now=datetime.fromisoformat(now))
    return {"layout": layout.to_json()}


def normalise_document(*, source: str, target: str) -> Answer:
    """Write a clean single-revision copy of ``source`` to ``target``; answers ``removed``."""
    return {"removed": [asdict(each) for each in normalise(Path(source), Path(target))]}


def preview_document(
    *,
    source: str,
    pages: list[int] | None = None,
    dpi: int = 96,
    placement: dict[str, Any] | None = None,
    specimen: dict[str, Any] | None = None,
    check_mark: dict[str, str] | None = None,
) -> Answer:
    """The pages ``pages`` (from 1, at most 12) of ``source`` as pictures, and where the seal will stand on them.

    ``pages`` None: those with the seal, then the first. ``dpi``: 36 to 150, less where a page would have more than
    4,000,000 pixels. ``placement``, ``specimen`` (both or neither) and ``check_mark`` as for :func:`prepare_document`.

    Answers ``page_count``; ``pages``, each with ``number``, ``width_mm``, ``height_mm``, ``width_pt``, ``height_pt``
    (as shown, turned by /Rotate), ``pixels`` [across, down], ``media_type`` and ``picture`` (base64); ``left_out``,
    pages that would make the answer too large; ``face`` (``svg``, ``diameter_mm``, or None), to be laid over the
    pictures; ``seals`` on all pages, each with ``kind`` (``seal``, ``seam``, ``check_mark``), ``page``, ``x``, ``y``,
    ``width``, ``height`` (parts of the page as shown, 0 to 1), ``left_mm``, ``top_mm``, ``width_mm``, ``height_mm``,
    ``clip`` (the part of the upright face's width that is seen) and for a check mark ``label``.

    Raises ``DocumentRejectedError`` (``text-unreadable``, ``page-without-area``) and ``PlacementError``
    (``page-out-of-range``), and with a placement what :func:`prepare_document` raises for it.
    """
    path = Path(source)
    if placement is None or specimen is None:
        return preview(path, pages=pages, dpi=dpi)
    face, where = draw(Specimen.from_json(specimen)), parse_placement(placement)
    mark = CheckMark.from_json(check_mark) if check_mark is not None else None
    places = foreseen_places(path, where, face.diameter, mark=mark)
    return preview(path, pages=pages, dpi=dpi, face=face, places=places)


def place_seal(*, source: str, page: int, x: float, y: float, diameter_mm: str) -> Answer:
    """The placement of a seal of ``diameter_mm`` whose centre was clicked at ``x``, ``y`` (parts of ``page`` as shown).

    Answers ``placement``, centred on the click or moved inside the page. Raises as
    :func:`signer.click.placement_at`, and ``DocumentRejectedError`` as :func:`preview_document`.
    """
    diameter = float(diameter_mm) * POINTS_PER_MM
    return {"placement": placement_at(page_geometries(Path(source)), page, (x, y), diameter=diameter)}


def compare_documents(*, before: str, after: str) -> Answer:
    """What the pages of the file ``after`` show otherwise than those of ``before``, at most 300 pages.

    Answers ``pages_before``, ``pages_after``, ``changed`` (each with the page numbers ``before`` and ``after`` and
    ``boxes``: ``x``, ``y``, ``width``, ``height`` in parts of the page), ``added`` (page numbers of ``after``),
    ``removed`` (of ``before``) and ``same``. Raises ``DocumentRejectedError`` (``text-unreadable``,
    ``too-many-pages-to-compare``).
    """
    return compare_versions(Path(before), Path(after))


def _answer(length: int, objections: list[dict[str, Any]], pages: int = 0) -> Answer:
    return {"length": length, "pages": pages, "objections": objections, "texts": [], "issuer_line": None}
