"""Whether two revisions of a file say the same below an object, whatever the objects are numbered inside it."""

from collections.abc import Iterable
from typing import Any

import pikepdf

from verify.page_marks import text_of

Numbers = tuple[int, int]
_MOST_STEPS = 2_000_000
_ROUND = frozenset({"/Parent", "/P", "/Popup", "/IRT"})
"""Ways back up, or across to another annotation; following them would lead through the whole file."""


class TooMuchToCompareError(Exception):
    """The two revisions are larger than what one verdict may cost."""


class ObjectComparison:
    """Compares objects of two revisions. ``written`` are the objects that the later revisions wrote or freed."""

    def __init__(self, written: Iterable[Numbers]) -> None:
        self._written = frozenset(written)
        self._same: set[tuple[Numbers, Numbers]] = set()
        self._steps = 0

    def same(self, before: Any, after: Any, *, without: Iterable[str] = ()) -> bool:  # noqa: ANN401  any object
        """Whether both are equal, all that they refer to included; ``without`` names entries of the first level.

        Pages and the catalog are the same by their number, and are compared for themselves.
        Raises :class:`TooMuchToCompareError`.
        """
        met: set[tuple[Numbers, Numbers]] = set()
        left_out = frozenset(without)
        waiting = [(before, after)]
        while waiting:
            old, new = waiting.pop()
            self._count()
            children = self._below(old, new, left_out, met)
            if children is None:
                return False
            waiting += children
            left_out = frozenset()
        self._same |= met
        return True

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TooMuchToCompareError

    def _below(
        self,
        old: Any,  # noqa: ANN401  any object
        new: Any,  # noqa: ANN401  any object
        left_out: frozenset[str],
        met: set[tuple[Numbers, Numbers]],
    ) -> list[tuple[Any, Any]] | None:
        """What is left to compare; None when the two differ here."""
        if not isinstance(old, pikepdf.Object) or not isinstance(new, pikepdf.Object):
            return [] if type(old) is type(new) and old == new else None
        pair = (old.objgen, new.objgen)
        if pair in self._same or pair in met:
            return []
        if pair[0][0] and pair[1][0]:
            if _stands_alone(old) and _stands_alone(new):
                return [] if pair[0] == pair[1] else None
            if not left_out:
                met.add(pair)
        return self._parts(old, new, left_out)

    def _parts(
        self, old: pikepdf.Object, new: pikepdf.Object, left_out: frozenset[str]
    ) -> list[tuple[Any, Any]] | None:
        if old._type_code != new._type_code:  # noqa: SLF001  pikepdf has no other name for it
            return None
        if isinstance(old, pikepdf.Array):
            return list(zip(old, new, strict=True)) if len(old) == len(new) else None
        if isinstance(old, pikepdf.Stream) and not self._same_bytes(old, new):
            return None
        if isinstance(old, pikepdf.Dictionary | pikepdf.Stream):
            return _entries(old, new, left_out)
        return [] if old == new else None

    def _same_bytes(self, old: pikepdf.Object, new: pikepdf.Object) -> bool:
        if old.objgen == new.objgen and old.objgen not in self._written:
            return True
        return bool(old.read_raw_bytes() == new.read_raw_bytes())


def _entries(old: pikepdf.Object, new: pikepdf.Object, left_out: frozenset[str]) -> list[tuple[Any, Any]] | None:
    ignored = left_out | _ROUND | ({"/Length"} if isinstance(old, pikepdf.Stream) else set())
    names = set(old.keys()) - ignored
    if names != set(new.keys()) - ignored:
        return None
    return [(old[name], new[name]) for name in sorted(names)]


def _stands_alone(value: pikepdf.Object) -> bool:
    return isinstance(value, pikepdf.Dictionary) and text_of(value.get("/Type")) in {"Page", "Catalog"}
