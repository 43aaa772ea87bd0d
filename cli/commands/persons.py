"""Persons 人员. An identity number is asked for, never given on the command line, where others could read it."""

from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import console, records
from cli.options import AsJson, Data, Document, From, KeyFile, Until, Why, argument, group
from cli.proposing import AsIfTwo, SignWithIfTwo, Statement, only_organ, propose, statement
from cli.workplace import act, moment, moment_text, opened, read_public_key

commands = group("人员与角色 / persons and their roles")

Person = Annotated[str, argument("人员编号 / id of the person")]
_ROLES = "principal, acting_principal, deputy, seal_user, custodian, grantor_administrator"


@commands.command()
@console.guarded
def register(
    name: Annotated[str, argument("姓名 / name")], *, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """登记人员；身份证号从标准输入读取，只存密钥散列 / Register a person; the number is read from standard input."""
    from sealing.administration import persons  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(persons.register(shop, name, _identity_number(), act(why)), json=as_json)


@commands.command()
@console.guarded
def show(person: Person, *, data: Data = None, as_json: AsJson = False) -> None:
    """显示人员、角色与密钥 / Show a person with roles and keys."""
    from registry.records import Person as PersonRecord  # noqa: PLC0415  loads the database
    from registry.records import PersonKey, RoleAssignment  # noqa: PLC0415  as above

    with opened(data) as shop, shop.database.read() as connection:
        found = shop.registry.get(connection, PersonRecord, person)
        roles = shop.registry.find(connection, RoleAssignment, person=person)
        keys = shop.registry.find(connection, PersonKey, person=person)
        records.show(
            found,
            json=as_json,
            roles=[records.as_json(each) for each in roles],
            keys=[records.as_json(each) for each in keys],
        )


@commands.command()
@console.guarded
def roles(
    organ: Annotated[str, argument("单位代码 / code of the organ")], *, data: Data = None, as_json: AsJson = False
) -> None:
    """列出单位的任职 / List the roles at an organ."""
    from registry.records import RoleAssignment  # noqa: PLC0415  loads the database

    columns = ("id", "person", "role", "on_behalf_of", "document", "valid_from", "valid_until")
    with opened(data) as shop, shop.database.read() as connection:
        records.show_list(shop.registry.find(connection, RoleAssignment, organ=organ), columns, json=as_json)


@commands.command()
@console.guarded
def add_role(  # noqa: PLR0913  each is a name on the command line
    person: Person,
    *,
    organ: Annotated[str, typer.Option("--organ", help="单位代码 / code of the organ")],
    role: Annotated[str, typer.Option("--role", help=_ROLES)],
    why: Why,
    document: Annotated[str | None, typer.Option("--document", help="任命或授权书 / the designation")] = None,
    on_behalf_of: Annotated[str | None, typer.Option(help="代谁行事（人员编号）/ for whom")] = None,
    from_: From = None,
    until: Until = None,
    as_: AsIfTwo = None,
    sign_with: SignWithIfTwo = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """指定用章人员、负责人、保管人等；增设管理员须提案 / Designate a person; a further administrator is proposed."""
    from sealing.administration import persons  # noqa: PLC0415  loads the database

    by = statement(as_, sign_with, why)
    if by is not None:
        given = {"what": "role", "person": person, "organ": organ, "document": document}
        _propose_administrator({**given, **_period(from_, until)}, role, by, data, as_json=as_json)
        return
    request = persons.RoleRequest(
        person=person,
        organ=organ,
        role=role,
        document=document,
        on_behalf_of=on_behalf_of,
        valid_from=moment(from_),
        valid_until=moment(until),
    )
    with opened(data) as shop:
        records.show(persons.assign_role(shop, request, act(why)), json=as_json)


@commands.command()
@console.guarded
def end_role(
    role: Annotated[str, argument("任职编号 / id of the role")], *, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """终止任职 / End a role."""
    from sealing.administration import persons  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(persons.end_role(shop, role, act(why)), json=as_json)


@commands.command()
@console.guarded
def add_key(  # noqa: PLR0913  each is a name on the command line
    person: Person,
    *,
    key: KeyFile,
    document: Document,
    why: Why,
    from_: From = None,
    until: Until = None,
    as_: AsIfTwo = None,
    sign_with: SignWithIfTwo = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """登记本人公钥；管理员的公钥须提案 / Register a person's own key; an administrator's is proposed."""
    from sealing.administration import persons  # noqa: PLC0415  loads the database
    from sealing.administration.key_registration import KeyRequest  # noqa: PLC0415  as above

    public, by = read_public_key(key), statement(as_, sign_with, why)
    with opened(data) as shop:
        if by is not None:
            content = {
                "what": "key",
                "person": person,
                "organ": only_organ(shop, by.person),
                "public_key": b64encode(public).decode("ascii"),
                "document": document,
            }
            propose(shop, "add_administrator", {**content, **_period(from_, until)}, by, as_json=as_json)
            return
        request = KeyRequest(public_key=public, document=document, valid_from=moment(from_), valid_until=moment(until))
        records.show(persons.register_key(shop, person, request, act(why)), json=as_json)


@commands.command()
@console.guarded
def end_key(
    key: Annotated[str, argument("密钥编号 / id of the key")], *, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """终止批准公钥 / End an approval key."""
    from sealing.administration import persons  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(persons.end_key(shop, key, act(why)), json=as_json)


def _propose_administrator(
    content: dict[str, Any], role: str, by: Statement, data: Path | None, *, as_json: bool
) -> None:
    if role != "grantor_administrator":
        raise console.UsageError(
            "role-takes-one-person",
            f"指定 {role} 由一人办理，不用 --as 与 --sign-with",
            f"one person designates a {role}: --as and --sign-with are not used",
        )
    with opened(data) as shop:
        propose(shop, "add_administrator", content, by, as_json=as_json)


def _period(from_: str | None, until: str | None) -> dict[str, str | None]:
    return {"valid_from": moment_text(moment(from_)), "valid_until": moment_text(moment(until))}


def _identity_number() -> str:
    import getpass  # noqa: PLC0415  beside its only use
    import sys  # noqa: PLC0415  as above

    if sys.stdin.isatty():
        return getpass.getpass("公民身份号码（不显示、不保存）/ identity number (not shown, not kept): ")
    return sys.stdin.readline().strip()
