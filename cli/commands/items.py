"""Items 事项: the catalogue in and out, pilot regions, working days."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import console, records
from cli.exit_codes import DONE, REFUSED
from cli.options import AsJson, Data, From, Until, Why, argument, group
from cli.proposing import As, AsIfTwo, SignWith, SignWithIfTwo, Statement, propose, statement
from cli.workplace import act, moment, moment_text, now, opened

if TYPE_CHECKING:
    from sealing.administration.catalogue import Imported, SheetFormat

commands = group("事项目录 / the catalogue of items")

Table = Annotated[Literal["items", "setup", "pilots"], typer.Option("--table", help="哪张表 / which table")]
List = Annotated[str, argument("清单，如 002-2 / list, e.g. 002-2")]
Number = Annotated[int, argument("序号 / number")]
Source = Annotated[str, typer.Option("--source", help="依据 / the paper that says so")]


@commands.command()
@console.guarded
def publish(*, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """发布随附目录中尚未登记的行 / Publish the shipped rows that are not there yet."""
    from sealing.administration.catalogue import publish_shipped  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        rows = publish_shipped(shop, act(why))
    if as_json:
        console.show_json({"published": rows})
    else:
        console.say(f"发布 {rows} 行 / {rows} rows published")


@commands.command("list")
@console.guarded
def list_(
    list_name: Annotated[str | None, typer.Option("--list", help="只列该清单 / this list only")] = None,
    *,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """列出现行事项 / List the items in force."""
    from registry.records import CatalogueItem  # noqa: PLC0415  loads the database

    moment_now = now()
    with opened(data) as shop, shop.database.read() as connection:
        lookup = {} if list_name is None else {"list": list_name}
        found = [
            each for each in shop.registry.find(connection, CatalogueItem, **lookup) if each.record.in_force(moment_now)
        ]
    found.sort(key=lambda each: (each.record.list, each.record.number))
    columns = ("list", "number", "main_name", "sub_name", "implementing_organ", "mode")
    records.show_list(found, columns, json=as_json)


@commands.command()
@console.guarded
def show(list_name: List, number: Number, *, data: Data = None, as_json: AsJson = False) -> None:
    """显示事项的现行与历史各行 / Show every row of an item, past ones too."""
    from registry.errors import NotFoundError  # noqa: PLC0415  loads the database
    from registry.records import CatalogueItem  # noqa: PLC0415  as above

    with opened(data) as shop, shop.database.read() as connection:
        found = shop.registry.find(connection, CatalogueItem, list=list_name, number=number)
    if not found:
        raise NotFoundError(
            "item-unknown", f"目录中没有事项 {list_name} 序号 {number}", f"no item {list_name} no. {number}"
        )
    found.sort(key=lambda each: each.record.valid_from)
    if as_json:
        console.show_json([records.as_json(each) for each in found])
    else:
        for each in found:
            records.show(each, json=False)


@commands.command("import")
@console.guarded
def import_(
    file: Annotated[Path, argument("CSV 或 XLSX / CSV or XLSX", exists=True, dir_okay=False)],
    *,
    why: Why,
    as_: AsIfTwo = None,
    sign_with: SignWithIfTwo = None,
    table: Table = "items",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查 / check only")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """检查后提案整表导入；有一格错误则逐格指出，不提案 / Propose to import whole lists, or every bad cell named."""
    from base64 import b64encode  # noqa: PLC0415  beside its only use

    from sealing.administration.catalogue import import_sheet  # noqa: PLC0415  loads the database

    by, format_ = statement(as_, sign_with, why), _format(file)
    with opened(data) as shop:
        tried = import_sheet(shop, file, act(why), table=table, format_=format_, dry_run=True)
        if tried.bad or dry_run:
            _show_import(tried, as_json=as_json)
            raise typer.Exit(REFUSED if tried.bad else DONE)
        if by is None:
            raise console.UsageError(
                "signer-incomplete",
                "导入须两人办理：请以 --as 与 --sign-with 提案，或用 --dry-run 只检查",
                "an import takes two persons: propose it with --as and --sign-with, or only check with --dry-run",
            )
        content = {
            "change": "import",
            "table": table,
            "format": format_,
            "file": b64encode(file.read_bytes()).decode("ascii"),
        }
        propose(shop, "change_catalogue", content, by, as_json=as_json)


@commands.command()
@console.guarded
def export(
    file: Annotated[Path, argument("写入的 CSV 或 XLSX / CSV or XLSX to write")],
    *,
    table: Table = "items",
    data: Data = None,
) -> None:
    """导出目录，可原样导入 / Export a table; it imports again unchanged."""
    from sealing.administration.catalogue import export as written  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        content = written(shop, now(), table=table, format_=_format(file))
    with file.open("xb") as target:  # never over a file that is there
        target.write(content)
    console.say(f"{file}：{len(content)} 字节 / bytes")


@commands.command()
@console.guarded
def add_pilot(  # noqa: PLR0913  each is a name on the command line
    list_name: List,
    number: Number,
    region: Annotated[str, argument("行政区划代码 / region code")],
    *,
    as_: As,
    sign_with: SignWith,
    source: Source,
    why: Why,
    from_: From = None,
    until: Until = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案登记试点地区 / Propose a pilot region."""
    content = {
        "change": "add_pilot",
        "list": list_name,
        "number": number,
        "region": region,
        "valid_from": moment_text(moment(from_) or now()),
        "valid_until": moment_text(moment(until)),
        "source": source,
    }
    with opened(data) as shop:
        propose(shop, "change_catalogue", content, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def end_pilot(
    pilot: Annotated[str, argument("试点编号 / id of the pilot region")],
    *,
    as_: As,
    sign_with: SignWith,
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案终止试点地区 / Propose the end of a pilot region."""
    content = {"change": "end_pilot", "pilot": pilot}
    with opened(data) as shop:
        propose(shop, "change_catalogue", content, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def set_day(
    day: Annotated[datetime, argument("日期 / date, YYYY-MM-DD", formats=["%Y-%m-%d"])],
    kind: Annotated[Literal["workday", "holiday"], argument("workday 或 / or holiday")],
    *,
    as_: As,
    sign_with: SignWith,
    source: Source,
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案登记工作日或节假日 / Propose what a day is: a working day or a holiday."""
    one = {"date": day.date().isoformat(), "kind": kind, "source": source}
    content = {"change": "set_days", "days": [one]}
    with opened(data) as shop:
        propose(shop, "change_catalogue", content, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


def _format(file: Path) -> "SheetFormat":
    suffix = file.suffix.lower()
    if suffix == ".csv":
        return "csv"
    if suffix == ".xlsx":
        return "xlsx"
    raise console.UsageError(
        "sheet-format", f"{file.name} 应以 .csv 或 .xlsx 结尾", f"{file.name} should end with .csv or .xlsx"
    )


def _show_import(done: "Imported", *, as_json: bool) -> None:
    if as_json:
        bad = [{name: getattr(cell, name) for name in cell.__dataclass_fields__} for cell in done.bad]
        counts = {name: getattr(done, name) for name in ("table", "dry_run", "done", "rows", "opened", "closed")}
        console.show_json({**counts, "bad": bad})
        return
    if done.bad:
        rows = ((cell.row, cell.column, cell.found, f"{cell.zh}\n{cell.en}") for cell in done.bad)
        console.show_table(("行 / row", "列 / column", "现为 / found", "应为 / expected"), rows)
        console.say(f"{len(done.bad)} 格有误，未导入 / {len(done.bad)} bad cells, nothing imported")
        return
    word = "将" if done.dry_run else "已"
    console.say(
        f"{done.rows} 行：{word}新增 {done.opened}，{word}终止 {done.closed} / "
        f"{done.rows} rows: {done.opened} opened, {done.closed} closed{' (dry run)' if done.dry_run else ''}"
    )
