"""Pages as pictures, by PDFium: how large they may be, what text stands in a rectangle, and where it is shown.

Runs in a worker process when the file is foreign.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import pypdfium2
from PIL.Image import Image
from pypdfium2 import raw

from signer.page import MM_PER_POINT, Box

MOST_PIXELS: Final = 4_000_000
_POINTS: Final = 72
_UNITS: Final = 100_000
_LOCK = threading.RLock()  # PDFium may be used by one thread at a time


class Pictures:
    """One file, page by page. Pages are counted from 0."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self.count = len(document)

    def size_mm(self, index: int) -> tuple[float, float]:
        """Width and height of the page as it is shown; PDFium takes every unit of user space for 1/72 inch."""
        with self._page(index) as page:
            width, height = page.get_size()
            return width * MM_PER_POINT, height * MM_PER_POINT

    def render(self, index: int, dpi: float, *, most_pixels: int = MOST_PIXELS) -> Image:
        """The page in colours at ``dpi``, or smaller where it would have more than ``most_pixels``."""
        with self._page(index) as page:
            width, height = page.get_size()
            scale = min(dpi / _POINTS, (most_pixels / max(1.0, width * height)) ** 0.5)
            # Four bytes a pixel are drawn in half the time of three.
            bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=True)
            picture: Image = bitmap.to_pil().convert("RGB")
            bitmap.close()
            return picture

    def shown_at(self, index: int, box: Box) -> Box:
        """Where ``box`` of user space is shown: left, top, right, bottom as parts of the page's size, 0 to 1."""
        with self._page(index) as page:
            ends = [_to_device(page, x, y) for x, y in ((box[0], box[1]), (box[2], box[3]))]
        (x1, y1), (x2, y2) = ends
        return _part(min(x1, x2)), _part(min(y1, y2)), _part(max(x1, x2)), _part(max(y1, y2))

    def text_under(self, index: int, box: Box) -> str:
        """The text of the page inside ``box`` of user space."""
        with self._page(index) as page:
            text = page.get_textpage()
            try:
                return str(text.get_text_bounded(*box))
            finally:
                text.close()

    @contextmanager
    def _page(self, index: int) -> Iterator[pypdfium2.PdfPage]:
        page = self._document[index]
        try:
            yield page
        finally:
            page.close()


def _to_device(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page.raw, 0, 0, _UNITS, _UNITS, 0, x, y, across, down)
    return across.value, down.value


def _part(units: int) -> float:
    return round(min(1.0, max(0.0, units / _UNITS)), 4)


@contextmanager
def pictures(source: Path | BinaryIO) -> Iterator[Pictures]:
    """The pages of a file or stream with their fields and seals. Raises ``pypdfium2.PdfiumError``."""
    with _LOCK:
        document = pypdfium2.PdfDocument(source)
        try:
            document.init_forms()  # or no widget would be drawn, a seal neither
            yield Pictures(document)
        finally:
            document.close()
