"""What the pages of a document cost as pictures at 110 dpi, beside ``pdftoppm`` for the same pages in the same run.

``preview_ms`` is the slowest of the medians a page for documents of 1, 3 and 20 pages, in a warm worker; a call
draws 12 pages at most. ``preview_ratio_pdftoppm`` is pdftoppm's time a page divided by ours, the least of the three.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typst

from sandbox.pool import Pool
from signer.glyphs import FOLDER

ROUNDS, DPI, A_CALL = 5, 110, 12
FUNCTION = "signer.desk:preview_document"


def run(out: Callable[[str], None]) -> None:
    """Print the two figures."""
    ours, ratios = [], []
    with tempfile.TemporaryDirectory() as folder, Pool(1, allowed=(FUNCTION,), warm=("signer.desk",)) as pool:
        for pages in (1, 3, 20):
            path = _document(Path(folder), pages)
            drawn = min(pages, A_CALL)
            arguments = {"source": str(path), "pages": list(range(1, drawn + 1)), "dpi": DPI}
            pool.call(FUNCTION, arguments)
            mine = [_seconds(lambda told=arguments: pool.call(FUNCTION, told)) / drawn for _ in range(ROUNDS)]
            command = ["pdftoppm", "-r", str(DPI), "-png", "-l", str(drawn), str(path), str(Path(folder) / "page")]
            theirs = [_seconds(lambda line=command: subprocess.run(line, check=True)) / drawn for _ in range(2)]
            ours.append(statistics.median(mine))
            ratios.append(statistics.median(theirs) / ours[-1])
            out(f"   {pages} pages: {ours[-1] * 1000:.1f} ms a page, pdftoppm {ours[-1] * ratios[-1] * 1000:.1f} ms")
    out(f"figure preview_ms {max(ours) * 1000:.1f}")
    out(f"figure preview_ratio_pdftoppm {min(ratios):.2f}")


def _document(folder: Path, pages: int) -> Path:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER)])
    head = '#set page(paper: "a4")\n#set text(font: "Noto Serif SC", size: 14pt, lang: "zh")\n'
    body = "\n#pagebreak()\n".join([("关于准予燃气经营许可变更的决定。" * 40)] * pages)
    path = folder / f"{pages}.pdf"
    path.write_bytes(typst.compile((head + body).encode(), font_paths=fonts))
    return path


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
