"""Machine clients."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import console, records
from cli.options import AsJson, Data, Document, From, KeyFile, Until, Why, argument, group
from cli.workplace import act, moment, opened, read_public_key

if TYPE_CHECKING:
    from sealing.administration.clients import ClientChange, IssuedClient

commands = group("客户端 / machine clients")

Client = Annotated[str, argument("客户端编号 / id of the client")]


@commands.command()
@console.guarded
def register(
    *,
    name: Annotated[str, typer.Option("--name", help="名称 / name")],
    role: Annotated[
        list[str],
        typer.Option("--role", help="approval_system, grantor_administrator, operator, auditor；可重复 / repeatable"),
    ],
    why: Why,
    organ: Annotated[list[str] | None, typer.Option("--organ", help="可代表的单位，可重复 / acts for")] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="身份验证公钥 PEM；不给则发密钥 / its own key instead of a secret", exists=True),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """登记客户端；密钥只显示这一次 / Register a client; its secret is shown this once."""
    from sealing.administration import clients  # noqa: PLC0415  loads the database

    request = clients.ClientRequest(
        name=name,
        roles=tuple(role),
        organs=tuple(organ or ()),
        public_key=None if key is None else read_public_key(key),
    )
    with opened(data) as shop:
        _show_issued(clients.register(shop, request, act(why)), as_json=as_json)


@commands.command()
@console.guarded
def renew_secret(client: Client, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """换发密钥，旧的立即失效 / Give it a new secret; the old one ends."""
    from sealing.administration import clients  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        _show_issued(clients.renew_secret(shop, client, act(why)), as_json=as_json)


@commands.command("list")
@console.guarded
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出客户端 / List the clients."""
    from registry.records import Client as ClientRecord  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        columns = ("id", "name", "roles", "organs", "state")
        records.show_list(shop.registry.find(connection, ClientRecord), columns, json=as_json)


@commands.command()
@console.guarded
def suspend(client: Client, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """停用客户端 / Suspend a client."""
    _change(client, "suspend", why, data, as_json=as_json)


@commands.command()
@console.guarded
def resume(client: Client, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """恢复客户端 / Resume a client."""
    _change(client, "resume", why, data, as_json=as_json)


@commands.command()
@console.guarded
def close(client: Client, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """关闭客户端，不能恢复 / Close a client for good."""
    _change(client, "close", why, data, as_json=as_json)


@commands.command()
@console.guarded
def add_approval_key(
    client: Client,
    *,
    key: KeyFile,
    document: Document,
    why: Why,
    from_: From = None,
    until: Until = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """登记代证批准用的公钥 / Register the key it vouches for approvals with."""
    from sealing.administration import clients  # noqa: PLC0415  loads the database
    from sealing.administration.key_registration import KeyRequest  # noqa: PLC0415  as above

    request = KeyRequest(
        public_key=read_public_key(key), document=document, valid_from=moment(from_), valid_until=moment(until)
    )
    with opened(data) as shop:
        records.show(clients.register_approval_key(shop, client, request, act(why)), json=as_json)


@commands.command()
@console.guarded
def end_approval_key(
    key: Annotated[str, argument("密钥编号 / id of the key")], *, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """终止代证公钥 / End such a key."""
    from sealing.administration import clients  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(clients.end_approval_key(shop, key, act(why)), json=as_json)


def _change(client: str, change: "ClientChange", why: str, data: Path | None, *, as_json: bool) -> None:
    from sealing.administration import clients  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(clients.change_state(shop, client, change, act(why)), json=as_json)


def _show_issued(issued: "IssuedClient", *, as_json: bool) -> None:
    value = records.as_json(issued.client)
    if as_json:
        console.show_json({**value, "secret": issued.secret})
        return
    console.show_facts(value)
    if issued.secret is not None:
        console.say(f"密钥（只显示这一次）/ secret, shown this once: {issued.secret}")
