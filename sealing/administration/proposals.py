"""Two-person control: one administrator proposes, another decides, and what was approved is carried out at once.

1. The proposer signs the digest of the whole content. Statement, content and role are checked; an entry.
2. Another human signs the decision, naming proposal and content. Everything is checked again as it is now; an entry.
3. What was approved is carried out, each change naming the proposal; a last entry tells how that ended.

A process that dies between 2 and 3 leaves an approved proposal whose act may have begun: :func:`end_overdue` calls it
failed, and whoever wants the act proposes it again. `docs/proposals.md` tells all this in words.
"""

from datetime import datetime, timedelta
from typing import Any, Final, cast

from pydantic import RootModel

from authority.errors import AuthorityError
from keystore.interface import KeystoreError
from ledger.canonical import JsonValue, canonical, parse
from ledger.errors import LedgerError
from registry import proposals as life
from registry.changes import Changes
from registry.errors import EvidenceError, RecordInvalidError, RegistryError
from registry.keys import person_keys
from registry.proposal_statements import (
    DecisionClaims,
    ProposalClaims,
    Signed,
    check_content,
    check_decides,
    check_two_humans,
    read_decision,
    read_proposal,
)
from registry.proposals import Proposal, ProposalAction
from registry.record import build, read
from registry.records import Person
from registry.store import Act, Actor, Stored
from sandbox.errors import WorkerFailedError
from sealing.administration.acts import acting, put
from sealing.administration.administrators import is_administrator
from sealing.administration.proposed_acts import CONTENTS, Outcome, Proposed
from sealing.errors import SealingError
from sealing.workshop import Workshop

LONGEST_ACT: Final = timedelta(minutes=10)
"""After this long an approved proposal without an end was interrupted."""
_TYPED: Final = (RegistryError, SealingError, KeystoreError, AuthorityError, LedgerError, WorkerFailedError)
_SERVICE: Final = "印信服务 Yinxin service"


def propose(
    shop: Workshop, action: ProposalAction, content: dict[str, Any], statement: str, act: Act
) -> Stored[Proposal]:
    """Record a proposal that its administrator signed over exactly this content; nothing is done yet.

    Raises :class:`RecordInvalidError` for a content that is not what the action takes, :class:`EvidenceError` for the
    statement, ``proposal-of-another-organ`` or ``proposal-not-administrator``, ``ConflictError`` for an id in use.
    """
    proposed = _content(action, content)
    with acting(shop, act) as changes:
        signed = read_proposal(
            statement,
            person_keys(changes.store, changes.connection),
            audience=shop.installation.log_origin,
            now=act.now,
        )
        claims = signed.claims
        digest = life.content_digest(content)
        check_content(claims, digest)
        _check_action(claims, action)
        _check_organ(claims, proposed.organ(shop, changes.connection))
        _check_administrator(changes, claims)
        proposal = build(
            Proposal,
            id=claims.id,
            action=action,
            organ=claims.organ,
            content=canonical(content).decode(),
            content_digest=digest,
            reason=claims.reason,
            statement=statement,
            proposed_by=claims.person,
            proposed_at=act.now,
            expires=claims.expires,
        )
        return put(changes, proposal, verb="proposed")


def decide(shop: Workshop, proposal_id: str, statement: str, act: Act) -> Stored[Proposal]:
    """Record the second person's decision, and carry out what it approves.

    The proposal is given back as it then is: ``rejected``, ``carried_out`` with what was made, or ``failed`` with the
    code and words of the error. Raises ``NotFoundError``, ``TransitionError`` ``proposal-not-open``,
    :class:`EvidenceError` for either statement as it counts now, ``proposal-same-person``.
    """
    with acting(shop, act) as changes:
        found = changes.store.lock(changes.connection, Proposal, proposal_id)
        decided = _decided(changes, shop, found.record, statement)
        stored = put(changes, decided, replaces=found, verb=decided.state)
    if stored.record.state != "approved":
        return stored
    state, outcome = _carried_out(shop, stored.record, act)
    with acting(shop, act) as changes:
        present = changes.store.lock(changes.connection, Proposal, proposal_id)
        ended = life.ended(present.record, state, outcome, now=act.now)
        return put(changes, ended, replaces=present, verb=state)


def end_overdue(shop: Workshop, now: datetime) -> list[str]:
    """Close what nobody decided in time, and what was approved and never ended; the ids of those.

    Several processes may do it at once. Raises ``registry`` and ``ledger`` errors.
    """
    with shop.database.read() as connection:
        waiting = [
            each.record
            for state in ("open", "approved")
            for each in shop.registry.find(connection, Proposal, state=state)
        ]
    overdue = [each.id for each in waiting if _overdue(each, now)]
    by = Actor(id=shop.installation.id, name=_SERVICE, organ=None)
    for proposal_id in overdue:
        why = "提案逾期 / the proposal is past its time"
        with acting(shop, Act(by=by, why=why, now=now)) as changes:
            found = changes.store.lock(changes.connection, Proposal, proposal_id)
            if _overdue(found.record, now):
                closed = _closed(found.record, now)
                put(changes, closed, replaces=found, verb=closed.state)
    return overdue


def organ_of(shop: Workshop, action: ProposalAction, content: dict[str, Any]) -> str | None:
    """The code of the organ whose administrators decide, or None where any grantor's may.

    Raises :class:`RecordInvalidError` for a content that is not what the action takes, ``NotFoundError``.
    """
    proposed = _content(action, content)
    with shop.database.read() as connection:
        return proposed.organ(shop, connection)


def _content(action: ProposalAction, content: JsonValue) -> Proposed:
    model = CONTENTS.get(action)
    if model is None:
        raise RecordInvalidError(
            "proposal-not-here",
            f"{action} 不在本服务办理，见 docs/backup.md",
            f"{action} is not proposed to a running service; docs/backup.md tells how",
        )
    made = read(model, content)
    return cast("Proposed", made.root if isinstance(made, RootModel) else made)


def _decided(changes: Changes, shop: Workshop, proposal: Proposal, statement: str) -> Proposal:
    store, connection, now = changes.store, changes.connection, changes.act.now
    if not proposal.is_open(now):  # told before any signature is read
        return life.decided(proposal, "reject", jws="", person="", reason="", now=now)
    keys, audience = person_keys(store, connection), shop.installation.log_origin
    second = read_decision(statement, keys, audience=audience, now=now)
    first = read_proposal(proposal.statement, keys, audience=audience, now=now)
    check_decides(second.claims, first)
    check_content(first.claims, proposal.content_digest)
    for claims in (first.claims, second.claims):
        _check_administrator(changes, claims)
    check_two_humans(*(_person(changes, each) for each in (first, second)))
    return life.decided(
        proposal,
        second.claims.decision,
        jws=statement,
        person=second.claims.person,
        reason=second.claims.reason,
        now=now,
    )


def _carried_out(shop: Workshop, proposal: Proposal, act: Act) -> tuple[Any, Outcome]:
    try:
        proposed = _content(proposal.action, parse(proposal.content.encode()))
        return "carried_out", proposed.carry_out(
            shop, Act(by=act.by, why=proposal.reason, now=act.now, proposal=proposal.id)
        )
    except _TYPED as error:
        return "failed", {"code": error.code, "zh": error.zh, "en": error.en}


def _overdue(proposal: Proposal, now: datetime) -> bool:
    if proposal.state == "approved" and proposal.decided_at is not None:
        return now >= proposal.decided_at + LONGEST_ACT
    return proposal.state == "open" and now >= proposal.expires


def _closed(proposal: Proposal, now: datetime) -> Proposal:
    if proposal.state == "open":
        return life.expired(proposal, now=now)
    interrupted = {
        "code": "interrupted",
        "zh": "办理中断，可能已办一部分；请查看登记后重新提案",
        "en": "the act was interrupted and may be done in part; look at the registry and propose it again",
    }
    return life.ended(proposal, "failed", interrupted, now=now)


def _check_action(claims: ProposalClaims, action: ProposalAction) -> None:
    if claims.action != action:
        raise EvidenceError(
            "proposal-other-action",
            f"签名所载事项为 {claims.action}，所交为 {action}",
            f"the statement is to {claims.action}, what was handed in is to {action}",
        )


def _check_organ(claims: ProposalClaims, organ: str | None) -> None:
    if organ is not None and claims.organ != organ:
        raise EvidenceError(
            "proposal-of-another-organ",
            f"此事由单位 {organ} 决定，声明以 {claims.organ} 名义作出",
            f"organ {organ} decides this; the statement is made for {claims.organ}",
        )


def _check_administrator(changes: Changes, claims: ProposalClaims | DecisionClaims) -> None:
    if not is_administrator(changes, claims.person, claims.organ):
        raise EvidenceError(
            "proposal-not-administrator",
            f"{claims.person} 现在不是单位 {claims.organ} 的管理员",
            f"{claims.person} is no administrator of organ {claims.organ} now",
        )


def _person(changes: Changes, signed: Signed[Any]) -> Person:
    return changes.store.get(changes.connection, Person, signed.claims.person).record
