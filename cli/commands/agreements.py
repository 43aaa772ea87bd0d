"""Agreements 协议."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import console, records
from cli.options import AsJson, Data, Why, argument, group
from cli.proposing import As, AsIfTwo, SignWith, SignWithIfTwo, Statement, propose, statement
from cli.workplace import act, opened, read_json

if TYPE_CHECKING:
    from sealing.workshop import Workshop

commands = group("协议 / agreements")

Agreement = Annotated[str, argument("协议编号（agr-…）/ id of the agreement")]
Terms = Annotated[Path, argument("条款 JSON / the terms, JSON", exists=True, dir_okay=False)]
Original = Annotated[
    Path, typer.Option("--original", help="双方签署的原件 / the signed original, a file", exists=True, dir_okay=False)
]


@commands.command()
@console.guarded
def draft(terms: Terms, *, original: Original, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """起草协议；缺少的条款逐项指出 / Draft an agreement; each missing part is named."""
    from sealing.administration import agreements  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        stored = agreements.draft(shop, read_json(terms), _digest(original), act(why))
        records.show(stored, json=as_json)


@commands.command()
@console.guarded
def amend(
    agreement: Agreement, terms: Terms, *, original: Original, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """起草变更；双方签署并生效前原条款有效 / Open an amendment; the present terms hold until it is in force."""
    from sealing.administration import agreements  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        stored = agreements.amend(shop, agreement, read_json(terms), _digest(original), act(why))
        records.show(stored, json=as_json)


@commands.command()
@console.guarded
def payload(
    agreement: Agreement,
    *,
    organ: Annotated[str, typer.Option("--organ", help="签署单位代码 / code of the organ that signs")],
    data: Data = None,
) -> None:
    """输出该单位应签署的内容（规范 JSON）/ Print what the organ is to sign, canonical JSON."""
    from ledger.canonical import canonical  # noqa: PLC0415  loads the database
    from registry.agreements import signature_payload  # noqa: PLC0415  as above
    from registry.records import Agreement as AgreementRecord  # noqa: PLC0415  as above

    with opened(data) as shop, shop.database.read() as connection:
        found = shop.registry.get(connection, AgreementRecord, agreement).record
    version = found.open_version
    if version is None:
        raise console.CommandError(
            "agreement-nothing-to-sign",
            f"协议 {agreement} 没有待签署的版本",
            f"agreement {agreement} has no version that waits for signatures",
        )
    console.say(canonical(signature_payload(found, version, organ)).decode())


@commands.command()
@console.guarded
def sign(
    agreement: Agreement,
    *,
    jws: Annotated[Path, typer.Option("--jws", help="单位签名（JWS 紧凑格式）/ the organ's signature", exists=True)],
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """附上单位的签名 / Attach an organ's signature."""
    from sealing.administration import agreements  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        stored = agreements.sign(shop, agreement, jws.read_text(encoding="utf-8", errors="replace").strip(), act(why))
        records.show(stored, json=as_json)


@commands.command()
@console.guarded
def activate(
    agreement: Agreement,
    *,
    why: Why,
    as_: AsIfTwo = None,
    sign_with: SignWithIfTwo = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """使已签署的协议生效；变更须提案，另一人批准后生效 / Bring a signed draft into force; propose an amendment."""
    from sealing.administration import agreements  # noqa: PLC0415  loads the database

    by = statement(as_, sign_with, why)
    with opened(data) as shop:
        if by is None:
            records.show(agreements.bring_into_force(shop, agreement, act(why)), json=as_json)
        else:
            _propose(shop, agreement, "bring_into_force", by, as_json=as_json)


@commands.command()
@console.guarded
def suspend(agreement: Agreement, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """中止协议及其印章；停止不必等待第二人 / Suspend an agreement and its seals; stopping waits for nobody."""
    from sealing.administration import agreements  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(agreements.change_state(shop, agreement, "suspend", act(why)), json=as_json)


@commands.command()
@console.guarded
def resume(
    agreement: Agreement, *, as_: As, sign_with: SignWith, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """提案恢复协议 / Propose to resume an agreement."""
    with opened(data) as shop:
        _propose(shop, agreement, "resume", Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def end(
    agreement: Agreement, *, as_: As, sign_with: SignWith, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """提案终止协议 / Propose to end an agreement."""
    with opened(data) as shop:
        _propose(shop, agreement, "end", Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def recall(
    agreement: Agreement, *, as_: As, sign_with: SignWith, why: Why, data: Data = None, as_json: AsJson = False
) -> None:
    """提案收回权限 / Propose to recall the authority."""
    with opened(data) as shop:
        _propose(shop, agreement, "recall", Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command("list")
@console.guarded
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出协议 / List the agreements."""
    from registry.records import Agreement as AgreementRecord  # noqa: PLC0415  loads the database

    columns = ("id", "current.terms.number", "current.terms.grantor", "current.terms.grantee", "state")
    with opened(data) as shop, shop.database.read() as connection:
        records.show_list(shop.registry.find(connection, AgreementRecord), columns, json=as_json)


@commands.command()
@console.guarded
def show(agreement: Agreement, *, data: Data = None, as_json: AsJson = False) -> None:
    """显示协议全文、签名与状态 / Show an agreement with all its parts."""
    from registry.records import Agreement as AgreementRecord  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        records.show(shop.registry.get(connection, AgreementRecord, agreement), json=as_json)


def _propose(
    shop: "Workshop",
    agreement: str,
    change: Literal["bring_into_force", "resume", "end", "recall"],
    by: Statement,
    *,
    as_json: bool,
) -> None:
    from registry.agreement_terms import terms_digest  # noqa: PLC0415  loads the database
    from registry.records import Agreement as AgreementRecord  # noqa: PLC0415  as above

    with shop.database.read() as connection:
        found = shop.registry.get(connection, AgreementRecord, agreement).record
    version = found.pending if change == "bring_into_force" and found.pending is not None else found.current
    content = {"agreement": agreement, "change": change, "terms_digest": terms_digest(version.terms)}
    propose(shop, "change_agreement", content, by, as_json=as_json)


def _digest(original: Path) -> str:
    from hashlib import file_digest  # noqa: PLC0415  beside its only use

    with original.open("rb") as content:
        return f"sha256:{file_digest(content, 'sha256').hexdigest()}"
