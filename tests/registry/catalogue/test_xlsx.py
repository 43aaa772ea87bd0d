"""Foreign XLSX files: what is read, and the bombs that are refused before anything reads them."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from registry.exchange import check_setup, grid_of, read_xlsx_rows
from registry.sheets import SheetUnreadableError, write_xlsx
from sandbox import Pool, WorkerFailedError

SHEET = "xl/worksheets/sheet1.xml"
MEGABYTE = 1_000_000


def plain_file(now: datetime) -> bytes:
    return write_xlsx([["序号", "名称"], [1, "兴国县"]], now)


def repacked(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The archive with parts replaced or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in [*old.namelist(), *(name for name in changes if name not in old.namelist())]:
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return file.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def read(data: bytes, folder: Path) -> dict[str, Any]:
    path = folder / "table.xlsx"
    path.write_bytes(data)
    return read_xlsx_rows(str(path))


def refusal(data: bytes, folder: Path) -> SheetUnreadableError:
    with pytest.raises(SheetUnreadableError) as caught:
        read(data, folder)
    return caught.value


def test_a_plain_file_is_read(tmp_path: Path, now: datetime) -> None:
    assert read(plain_file(now), tmp_path) == {"rows": [["序号", "名称"], ["1", "兴国县"]], "bad": []}


def made_by_openpyxl(cells: list[object]) -> bytes:
    workbook = openpyxl.Workbook()
    for place, cell in enumerate(cells, start=1):
        workbook.active.cell(row=1, column=place, value=cell)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def test_kinds_of_cells(tmp_path: Path) -> None:
    cells = ["文字", 7, 7.0, date(2023, 11, 30), datetime(2023, 11, 30), " 空白 ", "a\r\nb", None, "末"]  # noqa: DTZ001  spreadsheets have no zones
    answer = read(made_by_openpyxl(cells), tmp_path)
    assert answer["rows"] == [["文字", "7", "7", "2023-11-30", "2023-11-30", "空白", "a\nb", "", "末"]]
    assert answer["bad"] == []


@pytest.mark.parametrize(
    "cell",
    ["=1+1", '=HYPERLINK("http://x.invalid","y")', 7.5, True, "#REF!", datetime(2023, 11, 30, 8, 30), 1e300],  # noqa: DTZ001  spreadsheets have no zones
)
def test_cells_that_are_not_what_they_look_like_are_named(cell: object, tmp_path: Path) -> None:
    answer = read(made_by_openpyxl(["好", cell]), tmp_path)
    (bad,) = answer["bad"]
    assert (bad["row"], bad["column"]) == (1, "B")
    assert "text, a whole number or a date" in bad["en"]
    plan = check_setup(grid_of(answer))
    assert plan.rows == ()
    assert ("B", str(cell)[:200]) in [(each.column, each.found) for each in plan.bad]


def test_blank_cells_and_rows_at_the_end_are_dropped(tmp_path: Path, now: datetime) -> None:
    data = write_xlsx([["a", "", ""], ["", ""], ["b"], [""], ["", ""]], now)
    assert read(data, tmp_path)["rows"] == [["a"], [], ["b"]]


def test_only_the_first_sheet_is_read(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "一"
    workbook.create_sheet()["A1"] = "二"
    workbook.save(tmp_path / "two.xlsx")
    assert read_xlsx_rows(str(tmp_path / "two.xlsx"))["rows"] == [["一"]]


# --- bombs


def test_a_spreadsheet_bomb_is_refused_by_its_ratio(tmp_path: Path, now: datetime) -> None:
    data = repacked(plain_file(now), {SHEET: b"<worksheet>" + b" " * (20 * MEGABYTE) + b"</worksheet>"})
    assert len(data) < MEGABYTE
    error = refusal(data, tmp_path)
    assert error.code == "sheet-too-large"
    assert "compression ratio" in error.en


def test_a_bomb_in_many_parts_is_refused_by_its_expanded_size(tmp_path: Path, now: datetime) -> None:
    noise = bytes(range(256)) * 1_000  # shrinks, but no part shrinks enough to stand out
    bomb = {f"xl/media/{number}.bin": noise for number in range(150)}
    error = refusal(repacked(plain_file(now), bomb), tmp_path)
    assert error.code == "sheet-too-large"
    assert "expanded bytes" in error.en


def test_too_many_entries_are_refused(tmp_path: Path, now: datetime) -> None:
    error = refusal(repacked(plain_file(now), {f"x/{number}.xml": b"<x/>" for number in range(200)}), tmp_path)
    assert error.code == "sheet-too-large"
    assert "entries" in error.en


def test_a_declared_size_that_lies_is_refused(tmp_path: Path, now: datetime) -> None:
    content = b"<x>" + b" " * (5 * MEGABYTE) + b"</x>"
    data = repacked(plain_file(now), {"x.xml": content})
    lying = data.replace(len(content).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != data
    assert refusal(lying, tmp_path).code == "sheet-not-xlsx"


def test_a_file_over_the_limit_is_not_opened(tmp_path: Path) -> None:
    error = refusal(b"PK" + bytes(8 * MEGABYTE), tmp_path)
    assert (error.code, "bytes" in error.en) == ("sheet-too-large", True)


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>'
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'


@pytest.mark.parametrize(
    "name", [SHEET, "xl/sharedStrings.xml", "[Content_Types].xml", "docProps/app.xml", "xl/media/a.png"]
)
@pytest.mark.parametrize("content", [BILLION_LAUGHS, OUTSIDE])
def test_document_type_declarations_are_refused_in_every_part(
    name: str, content: bytes, tmp_path: Path, now: datetime
) -> None:
    error = refusal(repacked(plain_file(now), {name: content}), tmp_path)
    assert error.code == "sheet-not-xlsx"
    assert f"{name} holds a document type declaration" in error.en


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_declaration_in_another_encoding_is_refused(encoding: str, tmp_path: Path, now: datetime) -> None:
    content = OUTSIDE.decode().replace('version="1.0"', f'version="1.0" encoding="{encoding}"').encode(encoding)
    assert "document type declaration" in refusal(repacked(plain_file(now), {SHEET: content}), tmp_path).en


def test_a_cell_in_the_last_corner_does_not_fill_the_memory(tmp_path: Path, now: datetime) -> None:
    data = plain_file(now)
    sheet = part(data, SHEET)
    corner = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    far = sheet.replace(b"</sheetData>", corner)
    assert far != sheet
    answer = read(repacked(data, {SHEET: far}), tmp_path)
    assert answer["rows"] == [["序号", "名称"], ["1", "兴国县"]]


def test_too_many_rows_are_refused(tmp_path: Path, now: datetime) -> None:
    error = refusal(write_xlsx([["x"]] * 10_001, now), tmp_path)
    assert (error.code, "rows" in error.en) == ("sheet-too-large", True)


def test_too_many_columns_are_refused(tmp_path: Path, now: datetime) -> None:
    error = refusal(write_xlsx([["x"] * 65], now), tmp_path)
    assert (error.code, "columns" in error.en) == ("sheet-too-large", True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip at all",
        b"PK\x05\x06" + bytes(18),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    ],
    ids=["empty", "text", "empty archive", "old binary format"],
)
def test_files_that_are_no_xlsx_are_refused(data: bytes, tmp_path: Path) -> None:
    assert refusal(data, tmp_path).code == "sheet-not-xlsx"


def test_a_truncated_file_is_refused(tmp_path: Path, now: datetime) -> None:
    data = plain_file(now)
    for length in range(100, len(data) - 1, 997):
        assert refusal(data[:length], tmp_path).code == "sheet-not-xlsx"


def test_malformed_parts_are_refused(tmp_path: Path, now: datetime) -> None:
    for name in (SHEET, "xl/workbook.xml"):
        assert "well-formed XML" in refusal(repacked(plain_file(now), {name: b"<open>"}), tmp_path).en


def test_flipped_bytes_never_give_an_untyped_error(tmp_path: Path, now: datetime) -> None:
    data = plain_file(now)
    for place in range(0, len(data), 61):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        with suppress(SheetUnreadableError):  # a byte that nobody reads may flip unseen
            read(bytes(flipped), tmp_path)


def test_an_encrypted_part_is_refused(tmp_path: Path, now: datetime) -> None:
    data = bytearray(plain_file(now))
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    assert "is encrypted" in refusal(bytes(data), tmp_path).en


def test_a_missing_file_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_xlsx_rows(str(tmp_path / "none.xlsx"))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"rows": [["a"]]},
        {"rows": [[1]], "bad": []},
        {"rows": 5, "bad": []},
        {"rows": [], "bad": [{"row": "x"}]},
    ],
)
def test_a_malformed_answer_of_the_worker_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(SheetUnreadableError):
        grid_of(answer)


def test_an_answer_that_is_too_large_is_refused() -> None:
    with pytest.raises(SheetUnreadableError, match="rows: found 10001"):
        grid_of({"rows": [["x"]] * 10_001, "bad": []})


def test_it_runs_in_a_worker_process(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(plain_file(now))
    name = "registry.exchange:read_xlsx_rows"
    with Pool(1, allowed=(name,), seconds=20) as pool:
        answer = pool.call(name, {"path": str(path)})
        assert grid_of(answer).rows == (("序号", "名称"), ("1", "兴国县"))
        path.write_bytes(b"not a zip")
        with pytest.raises(WorkerFailedError) as caught:
            pool.call(name, {"path": str(path)})
    assert caught.value.code == "sheet-not-xlsx"
