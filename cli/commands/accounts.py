"""Accounts of people: ``yinxin account …``. Codes are shown once; passkeys are confirmed in person."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import console, records
from cli.options import AsJson, Data, Document, From, Until, Why, argument, group
from cli.proposing import AsIfTwo, SignWithIfTwo, only_organ, propose, statement
from cli.workplace import act, moment, moment_text, opened

if TYPE_CHECKING:
    from accounts.desk import Desk
    from sealing.workshop import Workshop

commands = group("人员账号 / accounts of people")

Person = Annotated[str, argument("人员编号 / id of the person")]


@commands.command()
@console.guarded
def invite(
    person: Person,
    *,
    recover: Annotated[bool, typer.Option("--recover", help="找回已有账号 / for an account that is there")] = False,
    why: Why,
    data: Data = None,
) -> None:
    """生成一次性代码，当面交给本人；只显示一次 / Make a one-time code, to be handed over; it is shown once."""
    from accounts.enrolment import invite as make_code  # noqa: PLC0415  loads the database
    from registry.records import Person as PersonRecord  # noqa: PLC0415  as above

    with opened(data) as shop:
        with shop.database.read() as connection:
            shop.registry.get(connection, PersonRecord, person)
        doing = act(why)
        console.say(make_code(_desk(shop), person, "recover" if recover else "open", by=doing.by.id, now=doing.now))


@commands.command()
@console.guarded
def close(person: Person, *, why: Why, data: Data = None) -> None:
    """关闭账号，所有登录随即退出 / Close the account; every session of it ends."""
    from accounts.enrolment import close_account  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        doing = act(why)
        close_account(_desk(shop), person, by=doing.by.id, now=doing.now)
        console.say(person)


@commands.command()
@console.guarded
def offered(person: Person, *, data: Data = None, as_json: AsJson = False) -> None:
    """列出本人已生成、待确认的批准通行密钥及其指纹 / List approval passkeys that wait, with their fingerprints."""
    from accounts.approval_passkeys import offered_by  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        found = offered_by(connection, person)
    rows = [{"id": each.id, "made": each.made, "fingerprint": each.fingerprint} for each in found]
    if as_json:
        console.show_json(rows)
    else:
        console.show_table(("id", "made", "fingerprint"), (list(row.values()) for row in rows))


@commands.command()
@console.guarded
def confirm(  # noqa: PLR0913  each is a name on the command line
    offer: Annotated[str, argument("待确认的编号（off-…）/ id of the offer")],
    *,
    document: Document,
    why: Why,
    from_: From = None,
    until: Until = None,
    as_: AsIfTwo = None,
    sign_with: SignWithIfTwo = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """当面核对指纹后登记通行密钥；管理员的须提案 / Register a compared passkey; an administrator's is proposed."""
    from sealing.administration import offered_passkeys  # noqa: PLC0415  loads the database

    by, begin, end = statement(as_, sign_with, why), moment(from_), moment(until)
    with opened(data) as shop:
        if by is not None:
            content = offered_passkeys.proposed(shop, offer, organ=only_organ(shop, by.person), document=document)
            period = {"valid_from": moment_text(begin), "valid_until": moment_text(end)}
            propose(shop, "add_administrator", content | period, by, as_json=as_json)
            return
        key = offered_passkeys.confirm(shop, offer, document=document, act=act(why), valid_from=begin, valid_until=end)
        records.show(key, json=as_json)


def _desk(shop: "Workshop") -> "Desk":
    from sealing.account_desk import make_desk, sign_in_place  # noqa: PLC0415  loads the database

    return make_desk(shop, sign_in_place(shop.settings))
