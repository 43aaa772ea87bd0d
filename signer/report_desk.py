"""What a worker does to a verification report before it is sealed, and which characters a report can show."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from fontTools.ttLib import TTFont

from signer.glyphs import FOLDER
from signer.page import page_geometries
from signer.placement import spot_at
from signer.prepare import prepare
from signer.report_face import NAME, TITLE, report_face
from signer.validation_data import ValidationData

CENTRE_MM: Final = (173.0, 37.0)
"""Where the seal stands on the first page; the template leaves this place free."""
_FONTS: Final = ("NotoSerifSC-Regular.ttf", "NotoSerifSC-Bold.ttf")
_UNKNOWN: Final = "?"


def prepare_report(
    *, source: str, target: str, reason: str, now: str, validation_data: dict[str, list[str]]
) -> dict[str, Any]:
    """Append an empty seal, final, to a copy of the report ``source`` at ``target``; answers ``layout``.

    ``now`` is RFC 3339; ``validation_data`` as for ``signer.desk.prepare_document``. Raises
    ``DocumentRejectedError``, ``PlacementError``, ``SignerError`` (``validation-data-malformed``).
    """
    path, face = Path(source), report_face()
    layout = prepare(
        path,
        Path(target),
        face=face,
        spots=[spot_at(page_geometries(path), 1, CENTRE_MM, face.diameter)],
        seam=(),
        field=None,
        final=True,
        signer_name=TITLE,
        reason=reason,
        location=NAME,
        now=datetime.fromisoformat(now),
        validation_data=ValidationData.from_json(validation_data),
    )
    return {"layout": layout.to_json()}


def drawable(text: str) -> str:
    """``text`` with ``?`` for what the fonts of a report have no glyph for; blanks stay one blank."""
    known = _known()
    return "".join(each if ord(each) in known and each.isprintable() else _UNKNOWN for each in text)


@cache
def _known() -> frozenset[int]:
    covers = []
    for name in _FONTS:
        with TTFont(FOLDER / name, lazy=True) as font:
            covers.append(frozenset(font.getBestCmap()))
    return frozenset.intersection(*covers)
