"""Which PAdES baseline level a signature really reaches, by what is there and holds (EN 319 142-1 clause 6)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from verify.material import DocumentStamp, Material, embedded_data, store_at
from verify.path import Path
from verify.timestamps import Stamp
from verify.verdict import Finding, warning

LEVELS = ("PAdES-B-B", "PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA")


def level_reached(
    base: str | None, path: Path, stamps: Sequence[Stamp], material: Material, *, covered_end: int
) -> str | None:
    """The level of a signature whose own form is ``base`` (``PAdES-B-B``, or None for no PAdES).

    ``stamps`` are those in the signature. T: a time-stamp that holds is on it or over it. LT: the file brings along
    revocation data for the paths of the signature and of its time-stamp. LTA: a document time-stamp that holds covers
    these data.
    """
    over = [each for each in material.stamps if each.covered_end > covered_end and each.stamp and each.stamp.proof]
    holding = [each for each in (*stamps, *(each.stamp for each in over if each.stamp)) if each.proof is not None]
    if base is None or not holding:
        return base
    first = min(holding, key=lambda each: each.token.time)
    if not material.store.present or not _complete(material, path, first):
        return LEVELS[1]
    archived = any(_covers_data(each, material, path, first) for each in over)
    return LEVELS[3] if archived else LEVELS[2]


def _covers_data(archive: DocumentStamp, material: Material, path: Path, first: Stamp) -> bool:
    """Whether what the archive time-stamp covers is complete; the data about itself can only come behind it."""
    covered = replace(material, revocation=embedded_data(store_at(archive.reading)))
    if first is archive.stamp:
        return covered.complete(path, first.token.time)
    return _complete(covered, path, first)


def _complete(material: Material, path: Path, stamp: Stamp) -> bool:
    at: datetime = stamp.token.time
    return material.complete(path, at) and material.complete(stamp.path, at)


def judge_level(reached: str | None, recorded: Any) -> Iterator[Finding]:  # noqa: ANN401  a JSON value
    """What was recorded when the seal was put on, against what can be confirmed now; more is fine."""
    if recorded not in LEVELS or (reached in LEVELS and LEVELS.index(reached) >= LEVELS.index(recorded)):
        return
    yield warning(
        "level_not_confirmed",
        f"台账所记签名级别为 {recorded}，按现有信任材料只能确认 {reached or '无'}",
        f"by the ledger the level is {recorded}; with what is trusted here only {reached or 'none'} can be confirmed",
    )
