"""The pages of an upload as pictures, drawn in a worker: with the seals framed, and what changed side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.errors import SandboxError, WorkerOverloadedError
from sealing.workshop import Workshop

_DPI: Final = 96
_BYTES_A_SECOND: Final = 10_000_000
_FUNCTION: Final = "verify.showing:show_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A rectangle on a page, in millimetres from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One page; pictures are PNG in base64, sizes millimetres. ``before``: as it was sealed, where that differs."""

    number: int
    width: float
    height: float
    png: str
    before: str | None
    seals: tuple[Frame, ...]
    changed: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What there is to see. ``problem`` is the code of why nothing could be drawn; ``left`` pages are not shown."""

    pages: tuple[Picture, ...] = ()
    left: int = 0
    problem: str | None = None

    @property
    def changes(self) -> tuple[Picture, ...]:
        """The pages that look different now."""
        return tuple(each for each in self.pages if each.before is not None)


def draw(shop: Workshop, path: Path, *, length: int) -> Pictures:
    """Draw the file at ``path`` of ``length`` bytes. What goes wrong in the worker is told, and changes no verdict.

    Raises ``sandbox.errors.WorkerOverloadedError``.
    """
    seconds = shop.settings.sandbox_seconds * max(1.0, length / _BYTES_A_SECOND)
    arguments = {"document": str(path.absolute()), "dpi": _DPI}
    try:
        shown: Mapping[str, Any] = shop.workers.call(_FUNCTION, arguments, seconds=seconds)
    except WorkerOverloadedError:
        raise
    except SandboxError as error:
        return Pictures(problem=error.code)
    pages = tuple(_picture(each) for each in shown["pages"])
    return Pictures(pages=pages, left=int(shown["page_count"]) - len(pages))


def _picture(told: Mapping[str, Any]) -> Picture:
    width, height = float(told["width_mm"]), float(told["height_mm"])
    return Picture(
        number=int(told["number"]),
        width=width,
        height=height,
        png=str(told["png"]),
        before=None if told["before"] is None else str(told["before"]),
        seals=tuple(_frame(each, width, height) for each in told["seals"]),
        changed=tuple(_frame(each, width, height) for each in told["changed"]),
    )


def _frame(told: Mapping[str, Any], width: float, height: float) -> Frame:
    return Frame(
        x=round(float(told["x"]) * width, 2),
        y=round(float(told["y"]) * height, 2),
        width=round(float(told["width"]) * width, 2),
        height=round(float(told["height"]) * height, 2),
    )
