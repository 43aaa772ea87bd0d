"""Proposals 提案: what takes two administrators, each with their own key; docs/proposals.md."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli import console, records
from cli.exit_codes import DONE, REFUSED
from cli.options import AsJson, Data, Why, argument, group
from cli.proposing import USUAL_HOURS, As, Offline, SignWith, Statement, sign_offline
from cli.proposing import decide as sign_decision
from cli.proposing import propose as sign_proposal
from cli.workplace import now, opened, read_json

if TYPE_CHECKING:
    from registry.proposals import Choice
    from registry.records import Proposal
    from registry.store import Stored
    from sealing.workshop import Workshop

commands = group("须两人办理的事：提案与决定 / what takes two persons: proposals and decisions")

Id = Annotated[str, argument("提案编号（ppl-…）/ id of the proposal")]
Action = Literal[
    "issue_seal",
    "rotate_key",
    "cancel_seal",
    "destroy_seal",
    "backdate_revocation",
    "change_agreement",
    "change_catalogue",
    "add_administrator",
]
_COLUMNS = ("id", "action", "organ", "state", "proposed_by", "expires", "reason")
_LONGEST_SHOWN = 400
"""Characters of one member of a content that a terminal is shown; the digest stands for the rest."""


@commands.command()
@console.guarded
def new(  # noqa: PLR0913  each is a name on the command line
    action: Annotated[Action, argument("事项 / the act")],
    *,
    content: Annotated[
        Path, typer.Option("--content", help="内容 JSON / the content, JSON", exists=True, dir_okay=False)
    ],
    as_: As,
    sign_with: SignWith,
    why: Why,
    organ: Annotated[str | None, typer.Option("--organ", help="以哪个单位名义 / for which organ")] = None,
    hours: Annotated[int, typer.Option(min=1, max=72, help="有效小时数 / hours it waits")] = USUAL_HOURS,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案；另一名管理员批准前什么也不做 / Propose an act; nothing is done before another administrator approves."""
    by = Statement(person=as_, key=sign_with, why=why)
    whole = _object(content)
    with opened(data) as shop:
        sign_proposal(shop, action, whole, by, as_json=as_json, organ=organ, hours=hours)


@commands.command("sign")
@console.guarded
def sign(  # noqa: PLR0913  each is a claim
    target: Annotated[Path, argument("写出的声明 / the statement to write")],
    *,
    content: Annotated[
        Path, typer.Option("--content", help="内容 JSON / the content, JSON", exists=True, dir_okay=False)
    ],
    log: Annotated[str, typer.Option("--log", help="账本名称（aud）/ log origin")],
    organ: Annotated[str, typer.Option("--organ", help="以哪个单位名义 / for which organ")],
    as_: As,
    kid: Annotated[str, typer.Option("--kid", help="登记的密钥编号 / id of the registered key")],
    sign_with: SignWith,
    why: Why,
    decides: Annotated[
        Path | None, typer.Option("--decides", help="所批准的提案声明 / the proposal it approves", exists=True)
    ] = None,
) -> None:
    """不连数据库，签署提案或其批准（恢复备份用）/ Sign a proposal, or its approval, offline: for a restore."""
    from cli.signing import Signer, read_private_key  # noqa: PLC0415  loads what signs

    signer = Signer(person=as_, kid=kid, key=read_private_key(sign_with))
    about = Offline(action="restore_backup", content=_object(content), log=log, organ=organ, why=why)
    statement = sign_offline(
        about, signer, None if decides is None else decides.read_text("ascii", errors="replace").strip()
    )
    with target.open("x", encoding="ascii") as file:  # never over a file that is there
        file.write(statement + "\n")
    console.say(f"{target}")


@commands.command("list")
@console.guarded
def list_(
    *,
    open_: Annotated[bool, typer.Option("--open", help="只列待决定的 / only those that wait")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """列出提案 / List the proposals."""
    from registry.records import Proposal  # noqa: PLC0415  loads the database

    moment = now()
    with opened(data) as shop, shop.database.read() as connection:
        found = shop.registry.find(connection, Proposal)
        wanted = [each for each in found if not open_ or each.record.is_open(moment)]
        wanted.sort(key=lambda each: each.record.proposed_at)
        records.show_list(wanted, _COLUMNS, json=as_json)


@commands.command()
@console.guarded
def show(proposal: Id, *, data: Data = None, as_json: AsJson = False) -> None:
    """显示提案全文、双方声明与结果 / Show a proposal: its whole content, both statements, how it ended."""
    with opened(data) as shop:
        stored = _get(shop, proposal)
        if as_json:
            records.show(stored, json=True)
        else:
            console.show_facts({**_facts(stored.record), "entry": stored.entry_index})


@commands.command()
@console.guarded
def approve(
    proposal: Id,
    *,
    as_: As,
    sign_with: SignWith,
    why: Why,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """核对内容后批准，随即办理 / Look at the content, approve it, and it is done at once."""
    by = Statement(person=as_, key=sign_with, why=why)
    _decide(proposal, "approve", by, data, ask=not yes, as_json=as_json)


@commands.command()
@console.guarded
def reject(proposal: Id, *, as_: As, sign_with: SignWith, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """驳回 / Reject."""
    _decide(proposal, "reject", Statement(person=as_, key=sign_with, why=why), data, ask=False, as_json=as_json)


def _decide(proposal: str, choice: "Choice", by: Statement, data: Path | None, *, ask: bool, as_json: bool) -> None:
    with opened(data) as shop:
        found = _get(shop, proposal).record
        if ask:
            _ask(found)
        ended = sign_decision(shop, found, choice, by)
        if as_json:
            records.show(ended, json=True)
        else:
            console.show_facts({**_facts(ended.record), "entry": ended.entry_index})
    raise typer.Exit(REFUSED if ended.record.state == "failed" else DONE)


def _ask(proposal: "Proposal") -> None:
    """Show what will be signed, and go on only with a yes. Raises :class:`console.UsageError` without a terminal."""
    import sys  # noqa: PLC0415  beside its only use

    if not sys.stdin.isatty():
        raise console.UsageError(
            "confirmation-needed",
            "批准前须核对内容：请在终端上办理，或先 proposal show 再加 --yes",
            "the content is looked at before it is approved: do it at a terminal, or proposal show it and give --yes",
        )
    console.show_facts(_facts(proposal))
    if not typer.confirm("批准以上内容？ / approve this?"):
        raise typer.Exit(REFUSED)


def _object(path: Path) -> dict[str, Any]:
    whole = read_json(path)
    if not isinstance(whole, dict):
        raise console.UsageError("json-unreadable", f"{path} 应为一个 JSON 对象", f"{path} should be one JSON object")
    return whole


def _get(shop: "Workshop", proposal: str) -> "Stored[Proposal]":
    from registry.records import Proposal as ProposalRecord  # noqa: PLC0415  loads the database

    with shop.database.read() as connection:
        return shop.registry.get(connection, ProposalRecord, proposal)


def _facts(proposal: "Proposal") -> dict[str, Any]:
    """What a person looks at: everything but the signatures themselves."""
    facts = proposal.model_dump(mode="json", exclude={"statement", "decision", "content", "outcome"})
    content = {name: _short(value) for name, value in json.loads(proposal.content).items()}
    outcome = None if proposal.outcome is None else json.loads(proposal.outcome)
    return {**facts, "content": content, "outcome": outcome}


def _short(value: Any) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        from hashlib import sha256  # noqa: PLC0415  beside its only use

        return f"({len(value)} characters, sha256:{sha256(value.encode()).hexdigest()})"
    return value
