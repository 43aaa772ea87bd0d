"""The pages of an upload as pictures, drawn in a worker: with the seals framed, and what changed side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.errors import SandboxError, WorkerOverloadedError
from sealing.workshop import Workshop
from verify.verdict import SignatureVerdict, Verdict

MOST_PAGES: Final = 12
_MOST_CHANGED: Final = 4
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
    """One page: ``png`` is base64, sizes are millimetres."""

    number: int
    width: float
    height: float
    png: str
    seals: tuple[Frame, ...]
    changed: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What there is to see. ``problem`` is the code of why nothing could be drawn; ``left`` pages are not shown."""

    pages: tuple[Picture, ...] = ()
    changes: tuple[tuple[Picture, Picture], ...] = ()
    left: int = 0
    problem: str | None = None


def draw(shop: Workshop, path: Path, verdict: Verdict, *, length: int) -> Pictures:
    """Draw the file at ``path``. Whatever goes wrong in the worker is told, and never changes the verdict.

    Raises ``sandbox.errors.WorkerOverloadedError``.
    """
    seconds = shop.settings.sandbox_seconds * max(1.0, length / _BYTES_A_SECOND)

    def show(**more: Any) -> Mapping[str, Any]:  # noqa: ANN401  arguments of the worker
        arguments = {"document": str(path.absolute()), "pages": list(range(1, MOST_PAGES + 1)), **more}
        shown: Mapping[str, Any] = shop.workers.call(_FUNCTION, arguments, seconds=seconds)
        return shown

    try:
        present = show()
        sealed = _sealed_length(verdict, length)
        before = show(revision_length=sealed) if sealed is not None else {"pages": []}
    except WorkerOverloadedError:
        raise
    except SandboxError as error:
        return Pictures(problem=error.code)
    pages = tuple(_picture(each) for each in present["pages"])
    return Pictures(
        pages=pages,
        changes=_pairs([_picture(each) for each in before["pages"]], pages)[:_MOST_CHANGED],
        left=max(int(present.get("count", len(pages))) - len(pages), 0),
    )


def _sealed_length(verdict: Verdict, length: int) -> int | None:
    """How long the file was when the last signature was put, where something was added since that can be seen."""
    ends = [end for each in verdict.signatures if (end := _end(each)) is not None]
    return max(ends) if ends and max(ends) < length - 1 else None


def _end(signature: SignatureVerdict) -> int | None:
    byte_range = signature.coverage.get("byte_range")
    if signature.kind == "timestamp" or not isinstance(byte_range, list) or len(byte_range) != len("abcd"):
        return None
    return int(byte_range[2]) + int(byte_range[3])


def _pairs(before: Sequence[Picture], after: Sequence[Picture]) -> tuple[tuple[Picture, Picture], ...]:
    now = {each.number: each for each in after}
    return tuple((each, now[each.number]) for each in before if each.changed and each.number in now)


def _picture(told: Mapping[str, Any]) -> Picture:
    width, height = float(told["width_mm"]), float(told["height_mm"])
    return Picture(
        number=int(told["number"]),
        width=width,
        height=height,
        png=str(told["png"]),
        seals=tuple(_frame(each, width, height) for each in told.get("seals", ())),
        changed=tuple(_frame(each, width, height) for each in told.get("changed", ())),
    )


def _frame(told: Mapping[str, Any], width: float, height: float) -> Frame:
    return Frame(
        x=round(float(told["x"]) * width, 2),
        y=round(float(told["y"]) * height, 2),
        width=round(float(told["width"]) * width, 2),
        height=round(float(told["height"]) * height, 2),
    )
