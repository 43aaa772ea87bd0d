"""What speaks against sealing a document, and where it stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One thing that could change the document's look later, or hide something now."""

    code: str
    zh: str
    en: str
    object: str
    """Number and generation of the object that holds it, ``12 0``; ``trailer`` or ``file`` where there is none."""
