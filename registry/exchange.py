"""The catalogue in and out as CSV and XLSX. Reading is a dry run: it names each bad cell, changes nothing.

::

    plan = check_items(read_csv_rows(data))
    # or, in a worker: grid_of(pool.call("registry.exchange:read_xlsx_rows", {"path": …}))
    change = supersede(stored, plan.accepted(), now)   # raises SheetRefusedError while any cell is bad

The first row names the columns, by code (``implementing_organ``) or label (``实施单位``), in any order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from registry.catalogue_rows import CatalogueItem, CatalogueRow, PilotRegion, SetupRow, overlapping, row_id
from registry.china_time import write_moment
from registry.columns import ITEMS, PILOTS, SETUP, Column, Table
from registry.sheets import BadCell, Grid, SheetRefusedError, read_csv_rows, write_csv, write_xlsx
from registry.xlsx_reading import grid_of, read_xlsx_rows

__all__ = [
    "ITEMS",
    "PILOTS",
    "SETUP",
    "Plan",
    "check_items",
    "check_pilots",
    "check_setup",
    "export_csv",
    "export_xlsx",
    "grid_of",
    "read_csv_rows",
    "read_xlsx_rows",
]

Row = TypeVar("Row", bound=CatalogueRow)
_LONGEST_FOUND = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[Row]):
    """What an import would bring. With any bad cell it brings nothing, and ``rows`` is empty."""

    rows: tuple[Row, ...]
    bad: tuple[BadCell, ...]

    def accepted(self) -> tuple[Row, ...]:
        """The rows. Raises :class:`SheetRefusedError` naming every bad cell."""
        if self.bad:
            raise SheetRefusedError(self.bad)
        return self.rows


def check_items(grid: Grid) -> Plan[CatalogueItem]:
    """Read a table of items."""
    return _check(grid, ITEMS, CatalogueItem)


def check_setup(grid: Grid) -> Plan[SetupRow]:
    """Read a table of setup rows."""
    return _check(grid, SETUP, SetupRow)


def check_pilots(grid: Grid) -> Plan[PilotRegion]:
    """Read a table of pilot regions."""
    return _check(grid, PILOTS, PilotRegion)


def export_csv(rows: Iterable[CatalogueRow], table: Table) -> bytes:
    """The rows as CSV under their column codes; :func:`check_items` and its like read it back unchanged."""
    body = [[column.write(getattr(row, column.code)) for column in table.columns] for row in rows]
    return write_csv([[column.code for column in table.columns], *body])


def export_xlsx(rows: Iterable[CatalogueRow], table: Table, now: datetime) -> bytes:
    """The rows as XLSX under Chinese labels, whole numbers as numbers; it reads back unchanged too."""
    body = [[_shown(column, getattr(row, column.code)) for column in table.columns] for row in rows]
    return write_xlsx([[column.label for column in table.columns], *body], now)


def _shown(column: Column, value: object) -> str | int:
    return value if isinstance(value, int) else column.write(value)


def _check(grid: Grid, table: Table, kind: type[Row]) -> Plan[Row]:
    columns, bad = _head(grid, table)
    unreadable = _unreadable(grid, table)
    if bad:
        return Plan(rows=(), bad=(*bad, *unreadable.values()))
    rows: list[tuple[int, Row]] = []
    for number, cells in enumerate(grid.rows[1:], start=2):
        if any(cells):
            row, faults = _row(kind, columns, cells, number)
            rows += [(number, row)] if row is not None else []
            bad += [fault for fault in faults if (fault.row, fault.column) not in unreadable]
    bad = sorted([*bad, *unreadable.values(), *_overlaps(rows)], key=lambda cell: cell.row)
    return Plan(rows=() if bad else tuple(row for _, row in rows), bad=tuple(bad))


def _unreadable(grid: Grid, table: Table) -> dict[tuple[int, str], BadCell]:
    """The cells that the file format makes bad, under the codes of their columns."""
    codes = {column.label: column.code for column in table.columns}
    named = [replace(cell, column=codes.get(cell.column, cell.column)) for cell in grid.bad]
    return {(cell.row, cell.column): cell for cell in named}


def _head(grid: Grid, table: Table) -> tuple[list[Column], list[BadCell]]:
    names = {name: column for column in table.columns for name in (column.code, column.label)}
    known = ", ".join(column.code for column in table.columns)
    head = grid.rows[0] if grid.rows else ()
    columns: list[Column] = []
    bad: list[BadCell] = []
    for name in head:
        column = names.get(name)
        if column is None:
            bad.append(_bad_head(name, f"列名其中之一：{known}", f"a column out of {known}"))
        elif column in columns:
            bad.append(_bad_head(name, "每列只出现一次", "each column once"))
        else:
            columns.append(column)
    for missing in (column for column in table.columns if column not in columns):
        zh, en = f"有“{missing.code}”（{missing.label}）列", f"a column {missing.code} ({missing.label})"
        bad.append(BadCell(row=1, column=missing.code, found="", zh=zh, en=en))
    return columns, bad


def _bad_head(name: str, zh: str, en: str) -> BadCell:
    return BadCell(row=1, column=name[:_LONGEST_FOUND], found=name[:_LONGEST_FOUND], zh=zh, en=en)


def _row(
    kind: type[Row], columns: Sequence[Column], cells: Sequence[str], number: int
) -> tuple[Row | None, list[BadCell]]:
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    values: dict[str, Any] = {}
    bad: list[BadCell] = []
    for column, cell in zip(columns, padded, strict=False):
        try:
            values[column.code] = column.read(cell)
        except ValueError as error:
            bad.append(_bad(number, column, cell, error))
    for cell in padded[len(columns) :]:
        if cell:
            nothing = ("没有列名的格为空", "nothing under no column name")
            bad.append(BadCell(row=number, column="", found=cell[:_LONGEST_FOUND], zh=nothing[0], en=nothing[1]))
    if bad:
        return None, bad
    try:
        return _record(kind, values), []
    except ValidationError as error:
        return None, list(_faults(error, columns, padded, number))


def _record(kind: type[Row], values: dict[str, Any]) -> Row:
    about = kind.model_construct(**values).about
    return kind.model_validate({**values, "id": row_id(kind, about, values["valid_from"])})


def _faults(error: ValidationError, columns: Sequence[Column], cells: Sequence[str], number: int) -> Iterator[BadCell]:
    first = {str(detail["loc"][0]): detail for detail in reversed(error.errors())}
    for column, cell in zip(columns, cells, strict=False):
        if column.code in first:
            yield _bad(number, column, cell, _reason(first[column.code]))


def _reason(detail: ErrorDetails) -> ValueError:
    """Our own checks speak both languages; the library's speak English."""
    own = detail.get("ctx", {}).get("error")
    return own if isinstance(own, ValueError) else ValueError(f"格式不符 / {detail['msg']}")


def _bad(number: int, column: Column, cell: str, error: ValueError) -> BadCell:
    if isinstance(error, ValidationError):
        error = _reason(error.errors()[0])
    zh, _, en = str(error).partition(" / ")
    found = cell if len(cell) <= _LONGEST_FOUND else f"{cell[:_LONGEST_FOUND]}…"
    return BadCell(
        row=number,
        column=column.code,
        found=found,
        zh=f"{column.zh}（{zh}）",
        en=f"{column.en} ({en or 'malformed'})",
    )


def _overlaps(rows: Sequence[tuple[int, CatalogueRow]]) -> list[BadCell]:
    numbers = {id(row): number for number, row in rows}
    return [
        BadCell(
            row=numbers[id(second)],
            column="valid_from",
            found=write_moment(second.valid_from),
            zh=f"与第{numbers[id(first)]}行（{' '.join(first.about)}）的有效期不重叠",
            en=f"a period that does not overlap row {numbers[id(first)]} ({' '.join(first.about)})",
        )
        for first, second in overlapping(row for _, row in rows)
    ]
