"""What the document says of its own conformance, and its output intent. Stated, not proven."""

import re
from dataclasses import dataclass

from signer.examination.document import Document, is_reference

_PART = re.compile(rb"pdfaid:part\s*(?:=\s*[\"']|>)\s*([1-4])")
_LEVEL = re.compile(rb"pdfaid:conformance\s*(?:=\s*[\"']|>)\s*([A-Za-z])")
_RGB = 3


@dataclass(frozen=True, slots=True)
class Conformance:
    """``pdfa``: part and level, ``2b``, or None; ``rgb``: whether the output intent is an RGB one."""

    pdfa: str | None
    rgb: bool


def conformance(document: Document) -> Conformance:
    """Read the XMP metadata (ISO 19005-2 6.6.4) and the output intents."""
    text = _metadata(document)
    part, level = _PART.search(text), _LEVEL.search(text)
    pdfa = (part[1] + (level[1].lower() if level else b"")).decode() if part else None
    return Conformance(pdfa, _has_rgb_intent(document))


def _metadata(document: Document) -> bytes:
    reference = document.root.get("/Metadata")
    if not is_reference(reference) or reference[:-2] not in document.streams:
        return b""
    start, end = document.places.get(reference[:-2], (0, 0))
    if "/Filter" not in document.objects[reference[:-2]]:
        return bytes(document.data[start:end])
    return document.decoded(reference[:-2])


def _has_rgb_intent(document: Document) -> bool:
    for intent in document.array(document.root.get("/OutputIntents")):
        profile = document.dictionary(document.dictionary(intent).get("/DestOutputProfile"))
        if document.get(profile, "/N") == _RGB:
            return True
    return False
