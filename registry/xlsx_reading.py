"""Reading a foreign XLSX file. Made for a worker process: JSON in, JSON out, nothing trusted.

Before openpyxl sees the file, its archive is checked (entries, expanded bytes, compression ratio,
encryption) and every part is read once: no document type declaration, hence no entities.
"""

import warnings
import zipfile
import zlib
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.sax import SAXException  # the errors and the empty handler; the parser is defusedxml's
from xml.sax.handler import ContentHandler

import openpyxl
from defusedxml import sax
from defusedxml.common import DefusedXmlException

from registry.errors import RegistryError
from registry.sheets import (
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    BadCell,
    Grid,
    SheetUnreadableError,
    check_size,
    plain,
    too_large,
)

MOST_ENTRIES = 200
MOST_EXPANDED_BYTES = 32_000_000
MOST_RATIO = 100
_RATIO_MATTERS_FROM = 1_000_000  # small parts of repeated XML shrink a lot and harm nobody
_XML_SUFFIXES = (".xml", ".rels", ".vml")
_DECLARATIONS = tuple("<!DOCTYPE".encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be"))
_ENCRYPTED = 0x1


def read_xlsx_rows(path: str) -> dict[str, Any]:
    """Read the first sheet of the file at ``path``.

    Answers ``{"rows": [[text, …], …], "bad": [{"row", "column", "found", "zh", "en"}, …]}``, where a bad
    cell reads as blank. Raises :class:`SheetUnreadableError`.
    """
    _check_archive(Path(path))
    rows, bad = _read_first_sheet(Path(path))
    check_size(rows)
    return {"rows": rows, "bad": bad}


def grid_of(answer: dict[str, Any]) -> Grid:
    """The table in an answer of :func:`read_xlsx_rows`, checked again because a worker is not trusted."""
    try:
        grid = Grid(
            rows=tuple(tuple(_text(cell) for cell in row) for row in answer["rows"]),
            bad=tuple(
                BadCell(
                    row=int(each["row"]),
                    column=_text(each["column"]),
                    found=_text(each["found"]),
                    zh=_text(each["zh"]),
                    en=_text(each["en"]),
                )
                for each in answer["bad"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable("读取进程的应答不完整", "the answer of the reading process is malformed") from error
    check_size(grid.rows)
    return grid


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def _unreadable(zh: str, en: str) -> SheetUnreadableError:
    return SheetUnreadableError("sheet-not-xlsx", zh, en)


def _check_archive(path: Path) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise too_large("文件字节数 / bytes", size, MOST_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            for entry in entries:
                _check_part(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _unreadable(f"不是完好的 XLSX 文件：{error}", f"not a well-formed XLSX file: {error}") from error


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise too_large("压缩包内的文件数 / entries", len(entries), MOST_ENTRIES)
    expanded = sum(entry.file_size for entry in entries)
    if expanded > MOST_EXPANDED_BYTES:
        raise too_large("解压后的字节数 / expanded bytes", expanded, MOST_EXPANDED_BYTES)
    for entry in entries:
        ratio = entry.file_size // max(entry.compress_size, 1)
        if entry.file_size >= _RATIO_MATTERS_FROM and ratio > MOST_RATIO:
            raise too_large(f"{entry.filename} 的压缩比 / compression ratio", ratio, MOST_RATIO)
        if entry.flag_bits & _ENCRYPTED:
            raise _unreadable(f"{entry.filename} 已加密", f"{entry.filename} is encrypted")


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse a document type declaration in any part: a relationship may call any part a sheet."""
    with archive.open(entry) as part:
        data = part.read(MOST_EXPANDED_BYTES + 1)  # zipfile gives no more than the size checked before
    declared = any(mark in data for mark in _DECLARATIONS)
    if not declared and entry.filename.endswith(_XML_SUFFIXES):
        try:
            sax.parseString(data, ContentHandler(), forbid_dtd=True)  # streams: builds no tree
        except DefusedXmlException:
            declared = True
        except (SAXException, ValueError, LookupError) as error:
            raise _unreadable(
                f"{entry.filename} 不是完好的 XML：{error}",
                f"{entry.filename} is not well-formed XML: {error}",
            ) from error
    if declared:
        raise _unreadable(
            f"{entry.filename} 含文档类型声明，应没有", f"{entry.filename} holds a document type declaration"
        )


def _read_first_sheet(path: Path) -> tuple[list[list[str]], list[dict[str, Any]]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that are not used here
            return _read_cells(path)
    except RegistryError:
        raise
    except Exception as error:  # openpyxl lets every kind of exception out on damaged files
        name = type(error).__name__
        raise _unreadable(f"无法读取该 XLSX 文件（{name}）", f"the XLSX file cannot be read ({name})") from error


def _read_cells(path: Path) -> tuple[list[list[str]], list[dict[str, Any]]]:
    workbook = openpyxl.load_workbook(path, read_only=True, keep_links=False)
    rows: list[list[str]] = []
    bad: list[dict[str, Any]] = []
    try:
        sheet = workbook.worksheets[0]
        for cells in sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS + 1):
            texts = [_cell(cell) for cell in cells]
            head = rows[0] if rows else []
            bad += [
                _bad(len(rows) + 1, _column(head, cells[place]), cells[place])
                for place, text in enumerate(texts)
                if text is None
            ]
            rows.append([text or "" for text in texts])
    finally:
        workbook.close()
    return _trimmed(rows), bad


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Without the blank cells and rows that spreadsheets keep at the end."""
    for row in rows:
        while row and not row[-1]:
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _cell(cell: Any) -> str | None:  # noqa: ANN401  openpyxl ships no types
    """The cell's text, or None for what is not what it looks like."""
    if cell.value is None:
        return ""
    text = None if cell.data_type in {"f", "e"} else _as_text(cell.value)
    return None if text is None else plain(text)


def _column(head: list[str], cell: Any) -> str:  # noqa: ANN401  openpyxl ships no types
    """What the first row calls the cell's column, or its letter."""
    place = cell.column - 1
    return head[place] if place < len(head) and head[place] else str(cell.column_letter)


def _bad(row: int, column: str, cell: Any) -> dict[str, Any]:  # noqa: ANN401  openpyxl ships no types
    return {
        "row": row,
        "column": column,
        "found": str(cell.value)[:200],
        "zh": "文字、整数或日期，不得为公式、错误值、小数或时刻",
        "en": "text, a whole number or a date, no formula, error value, fraction or time of day",
    }


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else None
    return value.isoformat() if isinstance(value, date) else None
