"""What a worker process does with a foreign PDF: look at it, read it, and prepare it for its seal.

Runs inside the sandbox, JSON in and JSON out; no key, certificate or secret is anywhere near. The
caller does not trust the prepared file beyond its appended revision: it hashes the approved prefix again.
"""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from signer.errors import DocumentRejectedError
from signer.examine import examine
from signer.extend import extend
from signer.face import draw
from signer.normalise import normalise
from signer.page import page_geometries
from signer.placement import AtField, parse_placement, seam_slices
from signer.prepare import prepare
from signer.specimen import Specimen
from signer.text import PageText, issuer_line, locate, page_texts
from signer.validation_data import ValidationData

Answer = dict[str, Any]


def inspect_document(*, source: str, tolerated_fonts: list[str], allowed_attachments: list[str]) -> Answer:
    """Examine the file ``source`` and read its text.

    Answers ``length`` (bytes), ``pages`` (count), ``objections`` (code, zh, en, object), ``texts`` (one a page),
    ``issuer_line``. A file that is not a readable PDF comes back as one objection, never as an exception.
    """
    return _inspect(Path(source), tolerated_fonts, allowed_attachments)[0]


def _inspect(path: Path, tolerated_fonts: list[str], allowed_attachments: list[str]) -> tuple[Answer, list[PageText]]:
    try:
        examination = examine(
            path, tolerated_fonts=tuple(tolerated_fonts), allowed_attachments=tuple(allowed_attachments)
        )
        texts = page_texts(path)
    except DocumentRejectedError as error:
        objection = {"code": error.code, "zh": error.zh, "en": error.en, "object": "file"}
        return _answer(path.stat().st_size, [objection]), []
    objections = [asdict(objection) for objection in examination.objections]
    answer = _answer(examination.length, objections, len(examination.pages)) | {
        "texts": [page.text for page in texts],
        "issuer_line": issuer_line(texts),
    }
    return answer, texts


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
    the same revision. Answers what :func:`inspect_document` answers and ``layout`` (None when there are objections).
    Raises ``PlacementError`` when the seal cannot stand where it was asked for, ``DocumentRejectedError`` when the
    file's structure or earlier signatures do not allow it, ``SignerError`` (``validation-data-malformed``).
    """
    path, where = Path(source), parse_placement(placement)
    inspection, texts = _inspect(path, tolerated_fonts, allowed_attachments)
    if inspection["objections"]:
        return inspection | {"layout": None, "check_mark": None}
    face = draw(
        Specimen(
            name=specimen["name"],
            number=specimen["number"],
            diameter_mm=Decimal(specimen["diameter_mm"]),
            sample=specimen["sample"],
        )
    )
    layout = prepare(
        path,
        Path(target),
        face=face,
        spots=() if isinstance(where, AtField) else locate(path, where, face.diameter, texts=texts),
        seam=seam_slices(page_geometries(path), face.diameter, where.seam_y_mm) if where.seam else (),
        field=where.name if isinstance(where, AtField) else None,
        final=final,
        signer_name=signature["name"],
        reason=signature["reason"],
        location=signature["location"],
        now=datetime.fromisoformat(now),
        validation_data=None if validation_data is None else ValidationData.from_json(validation_data),
    )
    return inspection | {"layout": layout.to_json(), "check_mark": None}


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


def _answer(length: int, objections: list[dict[str, Any]], pages: int = 0) -> Answer:
    return {"length": length, "pages": pages, "objections": objections, "texts": [], "issuer_line": None}
