"""A picture of a face, made by the renderer that people's browsers use."""

import io
import threading
from typing import Final

import pikepdf
import pypdfium2

LARGEST_PIXELS: Final = 4096

# PDFium may be used by one thread at a time.
_LOCK = threading.Lock()


def render(operators: bytes, diameter: float, pixels: int) -> bytes:
    """PNG, ``pixels`` square, of ``operators`` filled in pure red on white.

    Raises ``ValueError`` for a size outside 1 to 4096.
    """
    if not 1 <= pixels <= LARGEST_PIXELS:
        raise ValueError(f"pixels is {pixels}, expected 1 to {LARGEST_PIXELS}")
    page = _one_page(operators, diameter)
    picture = io.BytesIO()
    with _LOCK:
        document = pypdfium2.PdfDocument(page)
        try:
            bitmap = document[0].render(scale=pixels / diameter)
            bitmap.to_pil().convert("RGB").resize((pixels, pixels)).save(picture, "PNG")
        finally:
            document.close()
    return picture.getvalue()


def _one_page(operators: bytes, diameter: float) -> bytes:
    pdf, out = pikepdf.new(), io.BytesIO()
    page = pdf.add_blank_page(page_size=(diameter, diameter))
    page.Contents = pdf.make_stream(b"1 0 0 rg\n" + operators)
    pdf.save(out)
    return out.getvalue()
