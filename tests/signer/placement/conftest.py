"""Chinese documents to place seals on, made with typst and the project's own fonts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typst

from signer.glyphs import FOLDER

FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER)])

HEAD = """
#set page(paper: "a4", margin: (top: 37mm, left: 28mm, right: 26mm, bottom: 35mm), numbering: "— 1 —")
#set text(font: "Noto Serif SC", size: 16pt, lang: "zh", region: "cn")
#let closing(body) = align(right)[#box[#align(center, body)]#h(4em)]
"""

Compile = Callable[[str], Path]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Makes a PDF/A of typst source, so that a character without a glyph is an error."""

    def compile_to_file(source: str) -> Path:
        path = tmp_path / "document.pdf"
        path.write_bytes(typst.compile((HEAD + source).encode(), font_paths=FONTS, pdf_standards=["a-2b"]))
        return path

    return compile_to_file
