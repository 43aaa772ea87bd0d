"""The catalogue of items, setup rows and pilot regions: publish, import, export; and working days."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from registry.calendar import calendar_day_id
from registry.catalogue import Change, load_shipped, supersede, supersede_setup
from registry.catalogue_rows import CatalogueItem, CatalogueRow, PilotRegion, SetupRow, overlapping, row_id
from registry.changes import Changes
from registry.columns import Table
from registry.errors import ConflictError, TransitionError
from registry.exchange import (
    ITEMS,
    PILOTS,
    SETUP,
    Plan,
    check_items,
    check_pilots,
    check_setup,
    export_csv,
    export_xlsx,
    grid_of,
    read_csv_rows,
)
from registry.record import build
from registry.records import CalendarDay
from registry.sheets import BadCell, Grid, SheetUnreadableError
from registry.store import Act, Stored
from sandbox.errors import WorkerFailedError
from sealing.administration import two_persons
from sealing.administration.acts import acting, put
from sealing.errors import OrderError
from sealing.workshop import Workshop

Row = TypeVar("Row", bound=CatalogueRow)
TableName = Literal["items", "setup", "pilots"]
SheetFormat = Literal["csv", "xlsx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did, or would do (``dry_run``, or any bad cell): nothing is ever half taken."""

    table: TableName
    dry_run: bool
    rows: int
    opened: int
    closed: int
    bad: tuple[BadCell, ...]

    @property
    def done(self) -> bool:
        """Whether the catalogue was changed."""
        return not self.dry_run and not self.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotRequest:
    """A region where an item is open during its pilot phase, with the paper that says so."""

    list: str
    number: int
    region: str
    valid_from: datetime
    valid_until: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRequest:
    """A day that is a working day or a holiday, and the notice that says so."""

    date: date
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    table: Table
    model: type[CatalogueRow]
    check: Callable[[Grid], Plan[Any]]
    change: Callable[[Sequence[Any], Sequence[Any], datetime], Change[Any]]


def publish_shipped(shop: Workshop, act: Act) -> int:
    """Put every shipped row that the store does not know yet; the number of rows put."""
    shipped = load_shipped()
    with acting(shop, act) as changes:
        known = {
            found.record.id
            for model in (CatalogueItem, SetupRow)
            for found in changes.store.find(changes.connection, model)
        }
        new = [row for row in (*shipped.items, *shipped.setup) if row.id not in known]
        for row in new:
            put(changes, row, verb="published")
        return len(new)


def import_sheet(
    shop: Workshop, path: Path, act: Act, *, table: TableName, format_: SheetFormat, dry_run: bool
) -> Imported:
    """Replace the lists that a CSV or XLSX file holds by what it says; pilots are added to those there are.

    Anything but a dry run takes two persons: ``change_catalogue``. A file with any bad cell changes nothing and answers
    which cells. XLSX is read in a worker process. Raises ``registry.sheets.SheetUnreadableError``,
    :class:`ConflictError`, ``sandbox`` errors.
    """
    kind = _KINDS[table]
    plan = kind.check(_grid(shop, path, format_))
    with acting(shop, act) as changes:
        if not dry_run:
            two_persons.require(changes, "change_catalogue", change="import", table=table)
        stored = _stored(changes, kind.model)
        change = kind.change([each.record for each in stored.values()], plan.rows, act.now)
        if not dry_run and not plan.bad:
            _publish(changes, change, stored)
    return Imported(
        table=table,
        dry_run=dry_run,
        rows=len(plan.rows),
        opened=len(change.opened),
        closed=len(change.closed),
        bad=plan.bad,
    )


def export(shop: Workshop, now: datetime, *, table: TableName, format_: SheetFormat) -> bytes:
    """All rows of a table, past ones too, as a file that :func:`import_sheet` reads back."""
    kind = _KINDS[table]
    with shop.database.read() as connection:
        rows = sorted(
            (found.record for found in shop.registry.find(connection, kind.model)),
            key=lambda row: (row.about, row.valid_from),
        )
    return export_csv(rows, kind.table) if format_ == "csv" else export_xlsx(rows, kind.table, now)


def add_pilot(shop: Workshop, request: PilotRequest, act: Act) -> Stored[PilotRegion]:
    """Register a pilot region [002 附件2 序号12]; two persons. Raises ``NotFoundError``, :class:`ConflictError`."""
    about = (request.list, str(request.number), request.region)
    with acting(shop, act) as changes:
        two_persons.require(changes, "change_catalogue", change="add_pilot", region=request.region)
        check_item(changes, request.list, request.number)
        pilot = build(
            PilotRegion,
            id=row_id(PilotRegion, about, request.valid_from),
            list=request.list,
            number=request.number,
            region=request.region,
            valid_from=request.valid_from,
            valid_until=request.valid_until,
            source=request.source,
        )
        stored = [each.record for each in _stored(changes, PilotRegion).values()]
        _add_pilots(stored, (pilot,), act.now)
        return put(changes, pilot)


def end_pilot(shop: Workshop, pilot: str, act: Act) -> Stored[PilotRegion]:
    """End a pilot region now; two persons. Raises ``NotFoundError``, :class:`TransitionError` ``ended-already``."""
    with acting(shop, act) as changes:
        two_persons.require(changes, "change_catalogue", change="end_pilot", pilot=pilot)
        found = changes.store.get(changes.connection, PilotRegion, pilot)
        if not found.record.comes_into_force(act.now):
            raise TransitionError("ended-already", f"试点 {pilot} 已终止", f"pilot region {pilot} has ended already")
        return put(changes, found.record.closed(act.now), replaces=found, verb="ended")


def set_days(shop: Workshop, days: Sequence[DayRequest], act: Act) -> list[Stored[CalendarDay]]:
    """Say of days whether they are working days, above what the shipped calendar knows; two persons."""
    with acting(shop, act) as changes:
        two_persons.require(changes, "change_catalogue", change="set_days")
        return [_set_day(changes, day) for day in days]


def check_item(changes: Changes, list_: str, number: int) -> None:
    """Raises :class:`OrderError` ``item-unknown`` unless the catalogue has, or had, such an item."""
    if not changes.store.find(changes.connection, CatalogueItem, list=list_, number=number):
        raise OrderError(
            "item-unknown",
            f"目录中没有事项 {list_} 序号 {number}",
            f"the catalogue has no item {list_} no. {number}",
        )


def _set_day(changes: Changes, day: DayRequest) -> Stored[CalendarDay]:
    record = build(CalendarDay, id=calendar_day_id(day.date), date=day.date, kind=day.kind, source=day.source)
    return put(changes, record, replaces=changes.store.look(changes.connection, CalendarDay, record.id))


def _grid(shop: Workshop, path: Path, format_: SheetFormat) -> Grid:
    if format_ == "csv":
        return read_csv_rows(path.read_bytes())
    try:
        answer = shop.workers.call("registry.xlsx_reading:read_xlsx_rows", {"path": str(path.absolute())})
    except WorkerFailedError as error:
        if not error.code.startswith("sheet-"):
            raise
        raise SheetUnreadableError(error.code, error.zh, error.en) from error
    return grid_of(answer)


def _stored(changes: Changes, model: type[Row]) -> dict[str, Stored[Row]]:
    return {found.record.id: found for found in changes.store.find(changes.connection, model)}


def _publish(changes: Changes, change: Change[Row], stored: dict[str, Stored[Row]]) -> None:
    for row in change.closed:
        put(changes, row, replaces=stored[row.id], verb="closed")
    for row in change.opened:
        put(changes, row, replaces=stored.get(row.id), verb="published")


def _add_pilots(old: Iterable[PilotRegion], new: Sequence[PilotRegion], _now: datetime) -> Change[PilotRegion]:
    """Pilots are added one by one; a region that is registered for the time already refuses."""
    present = {row.id: row for row in old}
    added = tuple(row for row in new if present.get(row.id) != row)
    for first, second in overlapping([*present.values(), *added]):
        raise ConflictError(
            "catalogue-overlap",
            f"试点 {' '.join(first.about)} 的有效期重叠：{first.id}、{second.id}",
            f"the periods of the pilot {' '.join(first.about)} overlap: {first.id}, {second.id}",
        )
    return Change(closed=(), opened=added)


_KINDS: dict[TableName, _Kind] = {
    "items": _Kind(table=ITEMS, model=CatalogueItem, check=check_items, change=supersede),
    "setup": _Kind(table=SETUP, model=SetupRow, check=check_setup, change=supersede_setup),
    "pilots": _Kind(table=PILOTS, model=PilotRegion, check=check_pilots, change=_add_pilots),
}
