"""Seal a local PDF in this process: an operator's tool. Approval systems use HTTP."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import console
from cli.exit_codes import DONE, REFUSED
from cli.options import AsJson, Data, argument, group
from cli.workplace import now, opened, read_json

if TYPE_CHECKING:
    from sealing.order import Caller, Order, Outcome, Submission
    from sealing.workshop import Workshop

commands = group("用章 / sealing")


@commands.command()
@console.guarded
def seal(  # noqa: PLR0913  each is a name on the command line
    file: Annotated[Path, argument("待盖章的 PDF / the PDF to be sealed", exists=True, dir_okay=False)],
    *,
    order: Annotated[Path, typer.Option(help="用章申请 JSON / the order, JSON", exists=True)],
    client: Annotated[str, typer.Option(help="代为办理的客户端编号 / id of the client it is for")],
    out: Annotated[Path, typer.Option(help="盖章后的 PDF / the sealed PDF")],
    receipt: Annotated[Path, typer.Option(help="回执 / the receipt")],
    approval: Annotated[Path | None, typer.Option(help="批准声明 JWS / the approval, JWS", exists=True)] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="幂等键 / the same key seals once only")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """为本地 PDF 盖章，或列出每条未通过的规则（退出码 1）/ Seal a local PDF, or name each rule that failed."""
    for target in (out, receipt):
        if target.exists():
            raise console.UsageError(
                "file-exists", f"{target} 已存在，不覆盖", f"{target} exists and is not overwritten"
            )
    from sealing.seal import Sealer  # noqa: PLC0415  loads the signer

    with opened(data) as shop:
        submission = _submission(file, _order(order), approval, idempotency_key or secrets.token_hex(16))
        outcome = Sealer(shop, clock=now).seal(submission, _caller(shop, client))
        if outcome.impression is not None:
            _deliver(shop, outcome.impression, out, receipt)
    _show(outcome, as_json=as_json)
    raise typer.Exit(DONE if outcome.state == "sealed" else REFUSED)


def _order(path: Path) -> "Order":
    from pydantic import ValidationError  # noqa: PLC0415  beside its only use

    from ledger.canonical import canonical  # noqa: PLC0415  loaded with the order
    from registry.record import reasons  # noqa: PLC0415  as above
    from sealing.order import Order  # noqa: PLC0415  as above

    try:
        return Order.model_validate_json(canonical(read_json(path)))
    except ValidationError as error:
        zh, en = reasons(error)
        raise console.UsageError(
            "order-invalid", f"申请内容不合格：{zh}", f"the order is not acceptable: {en}"
        ) from error


def _submission(file: Path, order: "Order", approval: Path | None, key: str) -> "Submission":
    from hashlib import file_digest  # noqa: PLC0415  beside its only use

    from sealing.order import Submission  # noqa: PLC0415  with the sealer

    with file.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    return Submission(
        order=order,
        idempotency_key=key,
        source=file,
        document=f"sha256:{digest}",
        approval=None if approval is None else approval.read_text(encoding="utf-8").strip(),
    )


def _caller(shop: "Workshop", client_id: str) -> "Caller":
    """The client as the HTTP door would let it in. Raises :class:`console.CommandError` for one that is not active."""
    from registry.records import Client  # noqa: PLC0415  with the workshop
    from sealing.order import Caller  # noqa: PLC0415  as above

    with shop.database.read() as connection:
        client = shop.registry.get(connection, Client, client_id).record
    if client.state != "active" or "approval_system" not in client.roles:
        raise console.CommandError(
            "client-may-not-seal",
            f"客户端 {client_id} 状态为 {client.state}，角色为 {'、'.join(client.roles)}；应为 active、approval_system",
            f"client {client_id} is {client.state} with {', '.join(client.roles)}; expected active, approval_system",
        )
    return Caller(client=client.id, organs=client.organs, roles=client.roles)


def _deliver(shop: "Workshop", impression_id: str, out: Path, receipt: Path) -> None:
    from shutil import copyfile  # noqa: PLC0415  beside its only use

    from sealing import impressions  # noqa: PLC0415  with the workshop
    from sealing.receipts import receipt as make_receipt  # noqa: PLC0415  as above

    with shop.database.read() as connection:
        impression = impressions.checked(connection, shop.book, impression_id)
    copyfile(shop.documents.read_path(impression.sealed_digest), out)
    receipt.write_bytes(make_receipt(shop, impression, now()).to_bytes())


def _show(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        console.show_json({name: getattr(outcome, name) for name in outcome.__dataclass_fields__})
        return
    failed = [each for each in outcome.findings if not each["passed"]]
    if failed:
        rows = ((each["code"], f"{each['zh']}\n{each['en']}") for each in failed)
        console.show_table(("未通过 / failed", ""), rows)
    word = "已盖章 / sealed" if outcome.state == "sealed" else "未盖章 / refused"
    console.say(
        f"{word}：{outcome.impression or outcome.application}，账本第 {outcome.entry} 条 / entry {outcome.entry}"
    )
