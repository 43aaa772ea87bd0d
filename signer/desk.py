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
from signer.face import draw
from signer.normalise import normalise
from signer.placement import AtField, parse_placement, seam_slices
from signer.prepare import prepare
from signer.specimen import Specimen
from signer.text import issuer_line, locate, page_texts

Arguments = dict[str, Any]


def inspect_document(arguments: Arguments) -> Arguments:
    """Examine ``source`` and read its text.

    Arguments: ``source`` (path), ``tolerated_fonts``, ``allowed_attachments``. Answers ``length``, ``pages``
    (count), ``objections`` (code, zh, en, object), ``texts`` (one a page), ``issuer_line``. A file that is
    not a readable PDF comes back as one objection, never as an exception.
    """
    source = Path(arguments["source"])
    try:
        examination = examine(
            source,
            tolerated_fonts=tuple(arguments["tolerated_fonts"]),
            allowed_attachments=tuple(arguments["allowed_attachments"]),
        )
    except DocumentRejectedError as error:
        objection = {"code": error.code, "zh": error.zh, "en": error.en, "object": "file"}
        return {
            "length": source.stat().st_size,
            "pages": 0,
            "objections": [objection],
            "texts": [],
            "issuer_line": None,
            "pdfa1": False,
            "rgb_output_intent": False,
        }
    texts = page_texts(source)
    return {
        "length": examination.length,
        "pages": len(examination.pages),
        "objections": [asdict(objection) for objection in examination.objections],
        "texts": [page.text for page in texts],
        "issuer_line": issuer_line(texts),
        "pdfa1": examination.pdfa1,
        "rgb_output_intent": examination.rgb_output_intent,
    }


def prepare_document(arguments: Arguments) -> Arguments:
    """Inspect ``source`` and, when nothing speaks against it, append an empty seal to a copy at ``target``.

    Arguments: those of :func:`inspect_document`, ``target`` (path), ``placement``, ``specimen`` (name, number,
    diameter_mm, sample), ``final``, ``signer_name``, ``reason``, ``location``, ``now`` (RFC 3339). Answers what
    :func:`inspect_document` answers and ``layout`` (None when there are objections). Raises ``PlacementError``
    when the seal cannot stand where it was asked for.
    """
    inspection = inspect_document(arguments)
    if inspection["objections"]:
        return inspection | {"layout": None}
    source, placement = Path(arguments["source"]), parse_placement(arguments["placement"])
    specimen = arguments["specimen"]
    face = draw(
        Specimen(
            name=specimen["name"],
            number=specimen["number"],
            diameter_mm=Decimal(specimen["diameter_mm"]),
            sample=specimen["sample"],
        )
    )
    spots = [] if isinstance(placement, AtField) else locate(source, placement, face.diameter)
    layout = prepare(
        source,
        Path(arguments["target"]),
        face=face,
        spots=spots,
        seam=seam_slices(inspection["pages"], face.diameter) if placement.seam else (),
        field=placement.name if isinstance(placement, AtField) else None,
        final=arguments["final"],
        signer_name=arguments["signer_name"],
        reason=arguments["reason"],
        location=arguments["location"],
        now=datetime.fromisoformat(arguments["now"]),
    )
    return inspection | {"layout": layout.to_json()}


def normalise_document(arguments: Arguments) -> Arguments:
    """Write a clean single-revision copy of ``source`` to ``target``; answers ``removed``."""
    removed = normalise(Path(arguments["source"]), Path(arguments["target"]))
    return {"removed": [asdict(each) for each in removed]}


FUNCTIONS = (
    "signer.desk:inspect_document",
    "signer.desk:prepare_document",
    "signer.desk:normalise_document",
)
"""What a sandbox pool for documents may call."""
