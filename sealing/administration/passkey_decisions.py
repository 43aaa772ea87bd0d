"""The second person decides a proposal with an approval passkey, instead of a key in a file (`docs/proposals.md`)."""

from datetime import datetime
from typing import Any

from registry.errors import TransitionError
from registry.passkeys import Assertion
from registry.proposal_statements import DECISION_TYP, DecisionClaims, statement_digest
from registry.proposals import Choice, Proposal
from registry.record import build
from registry.records import Person
from registry.store import Act, Actor, Stored
from sealing import pending_statements
from sealing.administration.proposals import decide
from sealing.pending_statements import PendingStatement
from sealing.workshop import Workshop


def begin_decision(shop: Workshop, proposal_id: str, *, person: str, choice: Choice, reason: str, now: datetime) -> str:
    """Fix what ``person`` is asked to sign over an open proposal; the handle.

    Raises ``NotFoundError``, :class:`TransitionError` ``proposal-not-open``, ``NotAllowedError``
    ``no-approval-passkey`` or ``approvals-held``, ``RecordInvalidError`` for the reason. Whether the person may decide,
    and is another human than the proposer, is checked when the decision is taken.
    """
    with shop.database.write() as connection:
        proposal = shop.registry.get(connection, Proposal, proposal_id).record
        if not proposal.is_open(now):
            raise TransitionError(
                "proposal-not-open",
                f"提案状态为 {proposal.state}，或已逾期，不能再决定",
                f"the proposal is {proposal.state}, or past its time, and cannot be decided any more",
            )
        pending_statements.check_can_sign(connection, shop, person, now)
        values: dict[str, Any] = {
            "v": 1,
            "id": proposal.id,
            "aud": shop.installation.log_origin,
            "action": proposal.action,
            "content_digest": proposal.content_digest,
            "organ": proposal.organ,
            "person": person,
            "reason": reason,
            "made": now,
            "expires": now + pending_statements.LIFETIME,
            "proposal_digest": statement_digest(proposal.statement),
            "decision": choice,
        }
        payload = build(DecisionClaims, **values).model_dump(mode="json")
        statement = PendingStatement(person=person, typ=DECISION_TYP, payload=payload, about=(proposal_id,))
        return pending_statements.keep(connection, statement, now)


def finish_decision(
    shop: Workshop, statement: PendingStatement, *, credential: str, assertion: Assertion, now: datetime
) -> Stored[Proposal]:
    """Take the signed decision; what it approves is carried out.

    Raises as :func:`sealing.pending_statements.sign` and :func:`sealing.administration.proposals.decide`.
    """
    with shop.database.read() as connection:
        signed = pending_statements.sign(
            connection, shop, statement, credential=credential, assertion=assertion, now=now
        )
        person = shop.registry.get(connection, Person, statement.person).record
    actor = Actor(id=person.id, name=person.name, organ=str(statement.payload["organ"]))
    (proposal_id,) = statement.about
    return decide(shop, proposal_id, signed, Act(by=actor, why=str(statement.payload["reason"]), now=now))
