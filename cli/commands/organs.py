"""Organs 单位."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from cli import console, records
from cli.options import AsJson, Data, Document, From, KeyFile, Until, Why, argument, group
from cli.workplace import act, moment, opened, read_public_key

commands = group("单位 / organs")

Code = Annotated[str, argument("统一社会信用代码 / code of the organ")]
Name = Annotated[str, typer.Option("--name", help="法定名称 / legal name")]
Level = Annotated[Literal["city", "county", "township", "branch"], typer.Option("--level", help="层级 / level")]
Region = Annotated[str, typer.Option("--region", help="行政区划代码 / region code")]
Alias = Annotated[list[str] | None, typer.Option("--alias", help="别名，可重复 / alias, repeatable")]

COLUMNS = ("code", "legal_name", "level", "region", "aliases")


@commands.command()
@console.guarded
def register(
    code: Code,
    *,
    name: Name,
    level: Level,
    region: Region,
    why: Why,
    alias: Alias = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """登记单位 / Register an organ."""
    from sealing.administration import organs  # noqa: PLC0415  loads the database

    request = organs.OrganRequest(code=code, legal_name=name, level=level, region=region, aliases=tuple(alias or ()))
    with opened(data) as shop:
        records.show(organs.register(shop, request, act(why)), json=as_json)


@commands.command()
@console.guarded
def change(
    code: Code,
    *,
    name: Name,
    level: Level,
    region: Region,
    why: Why,
    alias: Alias = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """变更名称、别名、层级或区划 / Change name, aliases, level or region."""
    from sealing.administration import organs  # noqa: PLC0415  loads the database

    request = organs.OrganRequest(code=code, legal_name=name, level=level, region=region, aliases=tuple(alias or ()))
    with opened(data) as shop:
        records.show(organs.change(shop, request, act(why)), json=as_json)


@commands.command()
@console.guarded
def succeed(
    code: Code,
    *,
    by: Annotated[str, typer.Option("--by", help="承继单位代码 / code of the successor")],
    on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="生效日 / from this day")],
    document: Document,
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """机构改革：记录由谁承继 / Record which organ succeeds this one."""
    from sealing.administration import organs  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        step = organs.succession(by, on.date(), document)
        records.show(organs.succeed(shop, code, step, act(why)), json=as_json)


@commands.command("list")
@console.guarded
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出单位 / List the organs."""
    from registry.records import Organ  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        records.show_list(shop.registry.find(connection, Organ), COLUMNS, json=as_json)


@commands.command()
@console.guarded
def show(code: Code, *, data: Data = None, as_json: AsJson = False) -> None:
    """显示单位及其密钥 / Show an organ and its keys."""
    from registry.records import Organ, OrganKey  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        found = shop.registry.find_one(connection, Organ, code=code)
        keys = shop.registry.find(connection, OrganKey, organ=code)
        records.show(found, json=as_json, keys=[records.as_json(each) for each in keys])


@commands.command()
@console.guarded
def add_key(
    code: Code,
    *,
    key: KeyFile,
    document: Document,
    why: Why,
    from_: From = None,
    until: Until = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """登记签署协议用的公钥 / Register the key it signs agreements with."""
    from sealing.administration import organs  # noqa: PLC0415  loads the database
    from sealing.administration.key_registration import KeyRequest  # noqa: PLC0415  as above

    request = KeyRequest(
        public_key=read_public_key(key), document=document, valid_from=moment(from_), valid_until=moment(until)
    )
    with opened(data) as shop:
        records.show(organs.register_key(shop, code, request, act(why)), json=as_json)


@commands.command()
@console.guarded
def end_key(
    key: Annotated[str, argument("密钥编号 / id of the key")], *, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """终止公钥 / End a key."""
    from sealing.administration import organs  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(organs.end_key(shop, key, act(why)), json=as_json)
