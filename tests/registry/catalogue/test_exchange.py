"""Import with a dry run that names each bad cell, and export that gives back what it was given."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import exchange
from registry.catalogue import load_shipped, supersede
from registry.catalogue_rows import CatalogueItem, PilotRegion, SetupRow
from registry.exchange import (
    ITEMS,
    PILOTS,
    SETUP,
    check_items,
    check_pilots,
    check_setup,
    export_csv,
    export_xlsx,
    grid_of,
    read_csv_rows,
    read_xlsx_rows,
)
from registry.sheets import BadCell, Grid, SheetRefusedError, SheetUnreadableError, quote, unquote

Make = Callable[..., CatalogueItem]


@pytest.fixture
def table(an_item: Make) -> list[list[str]]:
    """A header and two good rows."""
    return rows_of(export_csv([an_item(), an_item(number=8)], ITEMS))


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def csv_of(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def put(table: list[list[str]], row: int, column: str, cell: str) -> None:
    table[row - 1][table[0].index(column)] = cell


def bad_cells(table: list[list[str]]) -> list[BadCell]:
    plan = check_items(read_csv_rows(csv_of(table)))
    assert plan.rows == () or not plan.bad
    return list(plan.bad)


def test_a_good_table_is_taken_whole(table: list[list[str]], an_item: Make) -> None:
    plan = check_items(read_csv_rows(csv_of(table)))
    assert plan.accepted() == (an_item(), an_item(number=8))


@pytest.mark.parametrize(
    ("column", "cell", "zh", "en"),
    [
        ("list", "", "不得为空", "text, not empty (empty)"),
        ("list", "清单 一", "格式不符", "String should match pattern"),
        ("number", "7a", "1至9999的整数", "a whole number from 1 to 9999 (not a whole number)"),
        ("number", "-7", "1至9999的整数", "not a whole number"),
        ("number", "７", "不是整数", "not a whole number"),
        ("number", "0", "格式不符", "greater than or equal to 1"),
        ("number", "99999", "不是整数", "not a whole number"),
        ("main_name", "", "空白", "empty"),
        ("main_name", "特种\u202e设备", "不可见或私用字符 U+202E", "private-use character U+202E"),
        ("mode", "实质审核", "不是所列的词", "one of direct, substantive_review, window_forward"),
        ("document_kinds", "decision;letter", "未列出的词", "holds a word that is not listed"),
        ("document_kinds", "", "格式不符", "at least 1 item"),
        ("licence_kinds", "filing", "不在文书类型中：filing", "not a document kind: filing"),
        ("bases", "new;new", "重复：new", "named twice: new"),
        ("bases", "renew", "空白表示全部", "empty means all"),
        ("aliases", "甲;;乙", "格式不符", "at least 1 character"),
        ("condition_fields", "volume_m3:decimal:m³", "应有四段", "should have four parts"),
        ("condition_fields", "volume_m3:number:m³:采伐蓄积", "格式不符", "Input should be 'text'"),
        ("condition_fields", "Volume:decimal:m³:采伐蓄积", "字段名“Volume”", "field name 'Volume'"),
        ("condition", "volume_m3 >= 15", "条件没有声明字段", "the condition declares no field"),
        ("regions", "兴国县", "格式不符", "String should match pattern"),
        ("valid_from", "", "空白", "empty"),
        ("valid_from", "2023-02-30", "北京日期", "a Beijing date such as 2023-11-30"),
        ("valid_from", "2023-11-30T00:00:00", "时间没有时区", "the time has no zone"),
        ("valid_until", "2023-01-01", "失效时间早于生效时间", "the row ends before it begins"),
        ("pilot_until", "明年", "北京日期", "or empty"),
        ("source", "", "空白", "empty"),
    ],
)
def test_each_bad_cell_is_named(table: list[list[str]], column: str, cell: str, zh: str, en: str) -> None:
    put(table, 3, column, cell)
    (bad,) = bad_cells(table)
    assert (bad.row, bad.column, bad.found) == (3, column, cell)
    assert zh in bad.zh
    assert en in bad.en


def test_a_condition_is_named_with_line_and_column(table: list[list[str]]) -> None:
    put(table, 2, "condition_fields", "volume_m3:decimal:m³:采伐蓄积")
    put(table, 2, "condition", 'volume_m3 >= decimal("1")\n|| volume_m3 == 15')
    (bad,) = bad_cells(table)
    assert (bad.row, bad.column) == (2, "condition")
    assert "第2行第14列" in bad.zh
    assert "2:14:" in bad.en


def test_all_bad_cells_are_named_and_nothing_is_taken(table: list[list[str]]) -> None:
    put(table, 2, "number", "x")
    put(table, 2, "mode", "y")
    put(table, 3, "source", "")
    plan = check_items(read_csv_rows(csv_of(table)))
    assert [(bad.row, bad.column) for bad in plan.bad] == [(2, "number"), (2, "mode"), (3, "source")]
    assert plan.rows == ()
    with pytest.raises(SheetRefusedError) as caught:
        plan.accepted()
    assert caught.value.code == "sheet-refused"
    assert caught.value.bad == plan.bad
    assert "row 2, number: found 'x'" in caught.value.en
    assert "3个单元格有误" in caught.value.zh


def test_a_bad_table_reaches_no_list(table: list[list[str]], an_item: Make, now: datetime) -> None:
    put(table, 2, "number", "x")
    plan = check_items(read_csv_rows(csv_of(table)))
    with pytest.raises(SheetRefusedError):
        supersede([an_item()], plan.accepted(), now)


def test_an_unknown_column_is_named(table: list[list[str]]) -> None:
    table[0][table[0].index("mode")] = "modus"
    found = bad_cells(table)
    assert [(bad.row, bad.column, bad.found) for bad in found] == [(1, "modus", "modus"), (1, "mode", "")]
    assert "a column out of list, number" in found[0].en
    assert "有“mode”（办理方式）列" in found[1].zh


def test_a_missing_column_is_named(table: list[list[str]]) -> None:
    place = table[0].index("source")
    (bad,) = bad_cells([row[:place] + row[place + 1 :] for row in table])
    assert (bad.row, bad.column) == (1, "source")
    assert "a column source (依据)" in bad.en


def test_a_column_twice_is_named(table: list[list[str]]) -> None:
    (bad,) = bad_cells([[*table[0], "序号"], *([*row, "7"] for row in table[1:])])
    assert (bad.found, bad.en) == ("序号", "each column once")


def test_an_empty_file_lacks_every_column() -> None:
    assert {bad.column for bad in check_setup(read_csv_rows(b"")).bad} == {column.code for column in SETUP.columns}


def test_columns_may_stand_in_any_order_and_under_labels(table: list[list[str]], an_item: Make) -> None:
    labels = {column.code: column.label for column in ITEMS.columns}
    turned = [list(reversed(row)) for row in table]
    turned[0] = [labels[code] for code in turned[0]]
    assert check_items(read_csv_rows(csv_of(turned))).accepted() == (an_item(), an_item(number=8))


def test_blank_rows_are_passed_over_and_numbers_stay(table: list[list[str]]) -> None:
    put(table, 3, "mode", "x")
    (bad,) = bad_cells([table[0], table[1], [""] * len(table[0]), table[2]])
    assert bad.row == 4


def test_short_rows_lack_their_last_cells_and_long_rows_have_one_too_many(table: list[list[str]]) -> None:
    short, long = table[1][:-1], [*table[2], "", "更多"]
    found = bad_cells([table[0], short, long])
    assert [(bad.row, bad.column, bad.found) for bad in found] == [(2, "source", ""), (3, "", "更多")]


@pytest.mark.parametrize(("second", "overlaps"), [("2024-06-01", True), ("2024-06-02", False)])
def test_two_rows_of_an_item_must_not_overlap(table: list[list[str]], second: str, overlaps: bool) -> None:
    put(table, 2, "valid_until", "2024-06-02")
    put(table, 3, "number", "7")
    put(table, 3, "valid_from", second)
    found = bad_cells(table)
    assert [(bad.row, bad.column) for bad in found] == ([(3, "valid_from")] if overlaps else [])
    assert not overlaps or "does not overlap row 2 (009-1 7)" in found[0].en


def test_long_cells_are_shortened_in_the_message(table: list[list[str]]) -> None:
    put(table, 2, "mode", "长" * 500)
    (bad,) = bad_cells(table)
    assert bad.found == "长" * 80 + "…"


def test_a_bad_cell_speaks_both_languages() -> None:
    cell = BadCell(row=5, column="mode", found="x", zh="其中之一：a", en="one of a")
    assert str(cell) == "第5行“mode”：现为“x”，应为其中之一：a / row 5, mode: found 'x', expected one of a"


def test_formulas_in_a_spreadsheet_are_named_beside_all_other_bad_cells(
    an_item: Make, tmp_path: Path, now: datetime
) -> None:
    export_rows = export_xlsx([an_item(), an_item(number=8), an_item(number=9)], ITEMS, now)
    workbook = openpyxl.load_workbook(io.BytesIO(export_rows))
    sheet = workbook.active
    sheet["B3"] = "=7+1"
    sheet["D3"] = 1.5
    sheet["I4"] = "modus"
    sheet["Z3"] = "=1"
    workbook.save(tmp_path / "edited.xlsx")
    found = check_items(grid_of(read_xlsx_rows(str(tmp_path / "edited.xlsx")))).bad
    assert [(bad.row, bad.column, bad.found) for bad in found] == [
        (3, "number", "=7+1"),
        (3, "sub_name", "1.5"),
        (3, "Z", "=1"),
        (4, "mode", "modus"),
    ]


# --- CSV


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        ("序号,清单\n".encode("gb18030"), "sheet-not-utf8", "saved as CSV UTF-8"),
        (b'a,"b\n', "sheet-not-csv", "not well-formed CSV"),
        (b'a,"b"c\n', "sheet-not-csv", "not well-formed CSV"),
        (b"a\n" * 10_001, "sheet-too-large", "rows: found 10001"),
        (b"," * 64, "sheet-too-large", "columns: found 65"),
        (b"x" * 8_001, "sheet-too-large", "characters of a cell: found 8001"),
        (b"x" * 8_000_001, "sheet-too-large", "bytes: found 8000001"),
        (b"x" * 200_000, "sheet-not-csv", "field larger than field limit"),
    ],
)
def test_files_that_are_no_table_are_refused(data: bytes, code: str, said: str) -> None:
    with pytest.raises(SheetUnreadableError) as caught:
        read_csv_rows(data)
    assert caught.value.code == code
    assert said in caught.value.en


def test_a_byte_order_mark_and_outer_blanks_are_passed_over() -> None:
    assert read_csv_rows("\ufeff序号 , 清单\r\n 1,\u3000二\r\n".encode()).rows == (
        ("序号", "清单"),
        ("1", "二"),
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_exported_cell_begins_like_a_formula(an_item: Make, start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    row = an_item().model_copy(update={"main_name": name})
    cell = rows_of(export_csv([row], ITEMS))[1][2]
    assert cell == f"'{name}"


@given(st.text(max_size=30))
def test_quoting_is_undone_exactly_and_leaves_no_formula(cell: str) -> None:
    assert unquote(quote(cell)) == cell
    assert not quote(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("name", ["=1+1", "-1", "'=1", "'quoted'", "@SUM(A1)", '逗号,引号"和\n换行'])
def test_export_and_import_give_the_same_rows(an_item: Make, name: str, tmp_path: Path, now: datetime) -> None:
    rows = (an_item(main_name=name), an_item(number=8, sub_name=name, valid_until=now))
    assert check_items(read_csv_rows(export_csv(rows, ITEMS))).accepted() == rows
    assert check_items(xlsx_grid(export_xlsx(rows, ITEMS, now), tmp_path)).accepted() == rows


def xlsx_grid(data: bytes, folder: Path) -> Grid:
    (folder / "table.xlsx").write_bytes(data)
    return grid_of(read_xlsx_rows(str(folder / "table.xlsx")))


def test_all_shipped_rows_survive_export_and_import(tmp_path: Path, now: datetime) -> None:
    items, setup = load_shipped().items, load_shipped().setup
    assert check_items(read_csv_rows(export_csv(items, ITEMS))).accepted() == items
    assert check_setup(read_csv_rows(export_csv(setup, SETUP))).accepted() == setup
    assert check_items(xlsx_grid(export_xlsx(items, ITEMS, now), tmp_path)).accepted() == items
    assert check_setup(xlsx_grid(export_xlsx(setup, SETUP, now), tmp_path)).accepted() == setup


def test_pilot_regions_come_in_and_go_out(a_pilot: Callable[..., PilotRegion]) -> None:
    rows = (a_pilot(), a_pilot(region="360732011"))
    assert check_pilots(read_csv_rows(export_csv(rows, PILOTS))).accepted() == rows


def test_setup_rows_are_checked_too(a_setup_row: Callable[..., SetupRow]) -> None:
    table = rows_of(export_csv([a_setup_row()], SETUP))
    put(table, 2, "number", "13")
    (bad,) = check_setup(read_csv_rows(csv_of(table))).bad
    assert (bad.row, bad.column) == (2, "name_pattern")
    assert "行政审批专用章（13）" in bad.zh


def test_each_table_has_a_column_for_each_field() -> None:
    for table in (ITEMS, SETUP, PILOTS):
        fields = set(table.kind.model_fields) - {"id"}
        assert {column.code for column in table.columns} == fields


def test_the_reading_function_is_found_by_its_name() -> None:
    """A worker is told ``registry.exchange:read_xlsx_rows``."""
    found: Any = getattr(exchange, "read_xlsx_rows")  # noqa: B009  by name, as the worker does
    assert found is read_xlsx_rows
