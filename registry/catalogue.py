"""The catalogue: which row is in force when, what the rules learn of an item, how a list is replaced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from policies.facts import ConditionFacts, ItemFacts, ItemKey, Regime, Value
from registry.catalogue_rows import CatalogueItem, CatalogueRow, PilotRegion, SetupRow, overlapping
from registry.conditions import evaluate
from registry.errors import ConflictError
from registry.exchange import check_items, check_setup, read_csv_rows

Row = TypeVar("Row", bound=CatalogueRow)
_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All rows of all lists."""

    items: tuple[CatalogueItem, ...]
    setup: tuple[SetupRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[Row]):
    """What publishing a list does: rows that end and rows that begin. Every other row stays as it is."""

    closed: tuple[Row, ...]
    opened: tuple[Row, ...]

    @property
    def records(self) -> tuple[Row, ...]:
        """What the store is to put, in this order."""
        return self.closed + self.opened


@cache
def load_shipped() -> Catalogue:
    """The lists of [001 附件1-3] and [002 附件2] and the setup tables of [000 附件] and [002 附件3-1].

    No pilot region is shipped: the source does not name them.
    """
    items = check_items(read_csv_rows((_DATA / "items.csv").read_bytes()))
    setup = check_setup(read_csv_rows((_DATA / "setup.csv").read_bytes()))
    return Catalogue(items=items.accepted(), setup=setup.accepted())


def item_in_force(items: Iterable[CatalogueItem], key: ItemKey, now: datetime) -> CatalogueItem | None:
    """The row of this item in force at ``now``. Raises :class:`ConflictError` when there are two."""
    return _only(row for row in items if row.key == key and row.in_force(now))


def setup_in_force(rows: Iterable[SetupRow], regime: Regime, region: str, now: datetime) -> SetupRow | None:
    """The setup row of this region in force at ``now``. Raises :class:`ConflictError` when there are two."""
    return _only(row for row in rows if row.about == (regime, region) and row.in_force(now))


def _only(rows: Iterable[Row]) -> Row | None:
    found = tuple(rows)
    if len(found) > 1:
        about = " ".join(found[0].about)
        raise ConflictError(
            "catalogue-ambiguous",
            f"{about} 同时有{len(found)}行有效，应至多1行",
            f"{len(found)} rows are in force for {about}, expected at most one",
        )
    return found[0] if found else None


def open_regions(item: CatalogueItem, pilots: Iterable[PilotRegion], now: datetime) -> tuple[str, ...] | None:
    """The regions that the item is open to at ``now``; None: all, ``()``: none.

    Until ``pilot_until`` only registered pilot regions in force, so without any nobody: “8个乡镇先行试点，
    一年后全面推行” [002 附件2 序号12]. The item's own list of regions holds in either phase.
    """
    if item.pilot_until is None or now >= item.pilot_until:
        return item.regions
    pilot = {row.region for row in pilots if row.key == item.key and row.in_force(now)}
    return tuple(sorted(pilot if item.regions is None else pilot & set(item.regions)))


def item_facts(
    item: CatalogueItem,
    *,
    now: datetime,
    pilots: Iterable[PilotRegion],
    implementing_organ: str | None,
    declared: Mapping[str, Value],
) -> ItemFacts:
    """What the rules look at. ``implementing_organ`` is the code of the organ named, if registered."""
    return ItemFacts(
        key=item.key,
        name=item.name,
        aliases=item.aliases,
        mode=item.mode,
        document_kinds=item.document_kinds,
        licence_kinds=item.licence_kinds,
        implementing_organ=implementing_organ,
        regions=open_regions(item, pilots, now),
        condition=_condition_facts(item, declared),
        bases=item.bases,
    )


def _condition_facts(item: CatalogueItem, declared: Mapping[str, Value]) -> ConditionFacts | None:
    condition = item.compiled_condition()
    return None if condition is None else evaluate(condition, declared)


def supersede(old: Sequence[CatalogueItem], new: Sequence[CatalogueItem], now: datetime) -> Change[CatalogueItem]:
    """Replace the lists that ``new`` holds by ``new``: each such list is given whole.

    An item that says the same stays as it is; one that changed ends and begins again at ``now``, or when
    its new row says if that is later; one that is no longer on its list ends at ``now``. Lists of which
    ``new`` holds nothing are not touched, nor are rows that have ended. ``old`` is every stored row.
    Raises :class:`ConflictError` when two new rows of an item overlap.
    """
    lists = {row.list for row in new}
    return _replace([row for row in old if row.list in lists], new, now)


def supersede_setup(old: Sequence[SetupRow], new: Sequence[SetupRow], now: datetime) -> Change[SetupRow]:
    """Replace the setup tables of the regimes that ``new`` holds, as :func:`supersede` does for items."""
    regimes = {row.regime for row in new}
    return _replace([row for row in old if row.regime in regimes], new, now)


def _replace(old: Sequence[Row], new: Sequence[Row], now: datetime) -> Change[Row]:
    for first, _second in overlapping(new):
        about = " ".join(first.about)
        raise ConflictError(
            "catalogue-overlap",
            f"{about} 在新清单中有重叠的两行",
            f"two rows of {about} overlap in the new list",
        )
    alive = [row for row in old if row.comes_into_force(now)]
    wanted = [row for row in new if row.comes_into_force(now)]
    opened = tuple(row.opened(now) for row in wanted if not any(_says_the_same(row, each, now) for each in alive))
    latest_first = sorted(opened, key=lambda row: row.valid_from, reverse=True)
    begins = {row.about: row.valid_from for row in latest_first}  # so the earliest one stays
    replaced = {row.id for row in opened}  # a scheduled row that is only worded anew keeps its id
    closed = tuple(
        row.closed(begins.get(row.about, now))
        for row in alive
        if row.id not in replaced and not any(_says_the_same(row, each, now) for each in wanted)
    )
    return Change(closed=tuple(row for row in closed if row not in alive), opened=opened)


def _says_the_same(one: Row, other: Row, now: datetime) -> bool:
    """Same subject and content, and the same beginning or one that both have behind them."""
    if one.about != other.about or not one.same_content(other):
        return False
    return one.valid_from == other.valid_from or max(one.valid_from, other.valid_from) <= now
