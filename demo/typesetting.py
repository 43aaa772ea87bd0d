"""From a document's data to PDF/A-2b."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

TEMPLATES = Path(str(files("demo") / "templates"))
FONTS = Path(str(files("signer") / "fonts"))
"""Where Noto Serif SC lies: a data folder of the installed project; no code of it is imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One document of a case: what it looks like, and what an order says about it."""

    template: str
    data: dict[str, Any]
    kind: str
    copy: str
    document_number: str
    licence_number: str | None
    placement: dict[str, Any]

    @property
    def name(self) -> str:
        """A file name without ending."""
        return f"{self.template}-{self.copy.replace(' ', '-')}"


def typeset(paper: Paper) -> bytes:
    """The PDF/A-2b of ``paper``. Raises ``typst.TypstError``; a character without a glyph is an error."""
    pdf: bytes = typst.compile(
        str(TEMPLATES / f"{paper.template}.typ"),
        root=str(TEMPLATES),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(paper.data, ensure_ascii=False)},
        pdf_standards=["a-2b"],
    )
    # ISO 19005-2 6.1.9: what is appended later must begin on a new line.
    return pdf if pdf.endswith(b"\n") else pdf + b"\n"


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
