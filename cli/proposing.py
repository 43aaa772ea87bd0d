"""Acts that take two persons: the command makes the signed proposal, and says what the second person runs."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import console, records
from cli.signing import Signer, read_signer
from cli.workplace import act, now

if TYPE_CHECKING:
    from datetime import datetime

    from registry.proposal_statements import ProposalClaims
    from registry.proposals import Choice, Proposal, ProposalAction
    from registry.store import Stored
    from sealing.workshop import Workshop

As = Annotated[str, typer.Option("--as", help="提案人（人员编号）/ the administrator who proposes, by id")]
SignWith = Annotated[
    Path,
    typer.Option("--sign-with", help="本人私钥 PEM，只在本机签名 / their own key, PEM", exists=True, dir_okay=False),
]
AsIfTwo = Annotated[
    str | None, typer.Option("--as", help="须两人办理时的提案人 / who proposes, where it takes two persons")
]
SignWithIfTwo = Annotated[
    Path | None,
    typer.Option("--sign-with", help="提案人本人私钥 PEM / the proposer's own key, PEM", exists=True, dir_okay=False),
]
USUAL_HOURS = 24
"""How long a proposal waits for its second person unless said otherwise; 72 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Who signs, with the key in which file (PEM), and why."""

    person: str
    key: Path
    why: str


def statement(person: str | None, key: Path | None, why: str) -> Statement | None:
    """What signs, or None where neither is given. Raises :class:`console.UsageError` ``signer-incomplete``."""
    if person is None and key is None:
        return None
    if person is None or key is None:
        raise console.UsageError(
            "signer-incomplete", "--as 与 --sign-with 须同时给出", "--as and --sign-with are given together"
        )
    return Statement(person=person, key=key, why=why)


def propose(
    shop: "Workshop",
    action: "ProposalAction",
    content: dict[str, Any],
    by: Statement,
    *,
    as_json: bool,
    organ: str | None = None,
    hours: int = USUAL_HOURS,
) -> None:
    """Sign and record the proposal, and tell what the second person runs.

    ``organ`` is needed only where the content names none and the person administers several. Raises what
    ``sealing.administration.proposals.propose`` raises, and :class:`console.UsageError`.
    """
    from registry.proposal_statements import sign_claims  # noqa: PLC0415  loads the database
    from sealing.administration import proposals  # noqa: PLC0415  as above

    signer = read_signer(shop, by.person, by.key)
    acting_for = proposals.organ_of(shop, action, content) or organ or only_organ(shop, by.person)
    claims = _claims(shop, action, content, _Terms(organ=acting_for, by=by, made=now(), hours=hours))
    statement = sign_claims(claims, kid=signer.kid, key=signer.key)
    stored = proposals.propose(shop, action, content, statement, act(by.why, organ=acting_for))
    records.show(stored, json=as_json)
    console.tell(
        "另一名管理员核对后执行 / another administrator looks at it and runs:",
        f"  yinxin proposal approve {stored.record.id} --as per-… --sign-with key.pem --why …",
    )


def decide(shop: "Workshop", proposal: "Proposal", choice: "Choice", by: Statement) -> "Stored[Proposal]":
    """Sign and record the decision; what is approved is done at once.

    Raises what ``sealing.administration.proposals.decide`` raises, and :class:`console.UsageError`.
    """
    from registry.proposal_statements import (  # noqa: PLC0415  loads the database
        DecisionClaims,
        sign_claims,
        statement_digest,
    )
    from registry.record import build  # noqa: PLC0415  as above
    from sealing.administration import proposals  # noqa: PLC0415  as above

    moment, signer = now(), read_signer(shop, by.person, by.key)
    claims = build(
        DecisionClaims,
        v=1,
        id=proposal.id,
        aud=shop.installation.log_origin,
        action=proposal.action,
        content_digest=proposal.content_digest,
        organ=proposal.organ,
        person=by.person,
        reason=by.why,
        made=moment,
        expires=moment + timedelta(hours=1),
        proposal_digest=statement_digest(proposal.statement),
        decision=choice,
    )
    statement = sign_claims(claims, kid=signer.kid, key=signer.key)
    return proposals.decide(shop, proposal.id, statement, act(by.why, organ=proposal.organ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """What is signed where no installation is at hand; ``log`` is the origin of its log."""

    action: "ProposalAction"
    content: dict[str, Any]
    log: str
    organ: str
    why: str


def sign_offline(about: Offline, signer: Signer, proposal: str | None) -> str:
    """A signed proposal; or the approval of ``proposal`` (JWS), of which only the id is read: both stand a day."""
    import json  # noqa: PLC0415  only where something is signed
    from base64 import urlsafe_b64decode  # noqa: PLC0415  as above

    from ledger.ids import new_id  # noqa: PLC0415  as above
    from registry import proposal_statements as statements  # noqa: PLC0415  loads what judges records
    from registry.proposals import content_digest  # noqa: PLC0415  as above
    from registry.record import build  # noqa: PLC0415  as above

    moment = now()
    claims: dict[str, Any] = {
        "v": 1,
        "id": new_id("ppl"),
        "aud": about.log,
        "action": about.action,
        "content_digest": content_digest(about.content),
        "organ": about.organ,
        "person": signer.person,
        "reason": about.why,
        "made": moment,
        "expires": moment + timedelta(hours=USUAL_HOURS),
    }
    if proposal is None:
        first = build(statements.ProposalClaims, **claims)
        return statements.sign_claims(first, kid=signer.kid, key=signer.key)
    try:
        payload = proposal.split(".")[1]
        claims["id"] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["id"]
    except (IndexError, KeyError, TypeError, ValueError):
        raise console.UsageError("statement-unreadable", "所给提案不是声明", "the proposal is no statement") from None
    digest = statements.statement_digest(proposal)
    second = build(statements.DecisionClaims, **claims, proposal_digest=digest, decision="approve")
    return statements.sign_claims(second, kid=signer.kid, key=signer.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    organ: str
    by: Statement
    made: "datetime"
    hours: int


def _claims(shop: "Workshop", action: "ProposalAction", content: dict[str, Any], terms: _Terms) -> "ProposalClaims":
    from ledger.ids import new_id  # noqa: PLC0415  only where something is proposed
    from registry.proposal_statements import ProposalClaims as Claims  # noqa: PLC0415  loads the database
    from registry.proposals import content_digest  # noqa: PLC0415  as above
    from registry.record import build  # noqa: PLC0415  as above

    return build(
        Claims,
        v=1,
        id=new_id("ppl"),
        aud=shop.installation.log_origin,
        action=action,
        content_digest=content_digest(content),
        organ=terms.organ,
        person=terms.by.person,
        reason=terms.by.why,
        made=terms.made,
        expires=terms.made + timedelta(hours=terms.hours),
    )


def only_organ(shop: "Workshop", person: str) -> str:
    """The one organ, by code, that the person administers. Raises :class:`console.UsageError` ``organ-needed``."""
    from registry.records import RoleAssignment  # noqa: PLC0415  loads the database
    from sealing.administration.administrators import ADMINISTRATOR  # noqa: PLC0415  as above

    with shop.database.read() as connection:
        roles = shop.registry.find(connection, RoleAssignment, person=person, role=ADMINISTRATOR)
    organs = sorted({each.record.organ for each in roles})
    if len(organs) != 1:
        raise console.UsageError(
            "organ-needed",
            f"{person} 是 {len(organs)} 个单位的管理员；请用 yinxin proposal new 并以 --organ 写明单位",
            f"{person} administers {len(organs)} organs; use yinxin proposal new and name one with --organ",
        )
    return organs[0]
