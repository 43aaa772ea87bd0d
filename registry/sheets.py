"""Tables of text on their way in and out: CSV in, CSV and XLSX out, and cells that no spreadsheet runs."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from registry.errors import RegistryError

MOST_BYTES = 8_000_000
MOST_ROWS = 10_000
MOST_COLUMNS = 64
LONGEST_CELL = 8_000

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class SheetUnreadableError(RegistryError):
    """The file is not a table that can be read safely. The sender can save it again in a plain form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCell:
    """One cell that cannot be taken: where it is, what was found, what was expected."""

    row: int  # as the spreadsheet counts, the header is row 1
    column: str
    found: str
    zh: str
    en: str

    def __str__(self) -> str:
        zh = f"第{self.row}行“{self.column}”：现为“{self.found}”，应为{self.zh}"
        return f"{zh} / row {self.row}, {self.column}: found {self.found!r}, expected {self.en}"


class SheetRefusedError(RegistryError):
    """At least one cell is bad, so nothing was taken. ``bad`` names each; the sender corrects them."""

    def __init__(self, bad: tuple[BadCell, ...]) -> None:
        """Keep the cells; the message holds the first."""
        first = str(bad[0]).partition(" / ")
        super().__init__(
            "sheet-refused",
            f"{len(bad)}个单元格有误，未导入任何内容；{first[0]}",
            f"{len(bad)} bad cells, nothing was imported; {first[2]}",
        )
        self.bad = bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table as read, outer blanks removed, and the cells that the file format itself makes bad."""

    rows: tuple[tuple[str, ...], ...]
    bad: tuple[BadCell, ...] = ()


def too_large(what: str, found: int, limit: int) -> SheetUnreadableError:
    """The error for a table over a limit."""
    return SheetUnreadableError(
        "sheet-too-large",
        f"{what}为{found}，不得超过{limit}",
        f"{what}: found {found}, at most {limit} allowed",
    )


def plain(cell: str) -> str:
    """A cell without outer blanks, lines ended by a line feed."""
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


def quote(cell: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula: a leading apostrophe where it could.

    An apostrophe at the start is doubled, so that :func:`unquote` gives every cell back as it was.
    """
    return f"'{cell}" if cell.startswith((*_STARTS_FORMULA, "'")) else cell


def unquote(cell: str) -> str:
    """What :func:`quote` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_STARTS_FORMULA, "'")) else cell


def read_csv_rows(data: bytes) -> Grid:
    """Read a CSV file in UTF-8, with or without byte order mark. Raises :class:`SheetUnreadableError`."""
    if len(data) > MOST_BYTES:
        raise too_large("文件字节数 / bytes", len(data), MOST_BYTES)
    try:
        text = data.decode("utf-8-sig")
        rows = [
            tuple(plain(unquote(cell)) for cell in row)
            for row in csv.reader(io.StringIO(text, newline=""), strict=True)
        ]
    except UnicodeDecodeError as error:
        raise SheetUnreadableError(
            "sheet-not-utf8",
            f"第{error.start}字节不是 UTF-8，请另存为“CSV UTF-8”",
            f"byte {error.start} is not UTF-8, expected a file saved as CSV UTF-8",
        ) from error
    except csv.Error as error:
        raise SheetUnreadableError(
            "sheet-not-csv", f"不是完好的 CSV：{error}", f"not well-formed CSV: {error}"
        ) from error
    check_size(rows)
    return Grid(rows=tuple(rows))


def check_size(rows: Sequence[Sequence[str]]) -> None:
    """Refuse tables that are too large. Raises :class:`SheetUnreadableError`."""
    if len(rows) > MOST_ROWS:
        raise too_large("行数 / rows", len(rows), MOST_ROWS)
    widest = max((len(row) for row in rows), default=0)
    if widest > MOST_COLUMNS:
        raise too_large("列数 / columns", widest, MOST_COLUMNS)
    longest = max((len(cell) for row in rows for cell in row), default=0)
    if longest > LONGEST_CELL:
        raise too_large("单元格字数 / characters of a cell", longest, LONGEST_CELL)


def write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """CSV (RFC 4180) in UTF-8 with a byte order mark, which Excel needs; cells quoted by :func:`quote`."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([quote(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(rows: Sequence[Sequence[str | int]], now: datetime) -> bytes:
    """XLSX with one sheet. Text stays text: nothing becomes a formula, a link or a number by itself."""
    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as workbook:
        workbook.set_properties({"created": now})
        heading = workbook.add_format({"bold": True, "bottom": 1})
        sheet = workbook.add_worksheet("目录")
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                style = heading if number == 0 else None
                if isinstance(cell, int):
                    sheet.write_number(number, place, cell, style)
                else:
                    sheet.write_string(number, place, cell, style)
    return file.getvalue()
