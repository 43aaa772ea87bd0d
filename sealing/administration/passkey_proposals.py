"""An administrator proposes with an approval passkey, instead of a key in a file (`docs/proposals.md`)."""

import json
from datetime import datetime
from typing import Any

from ledger.canonical import canonical
from ledger.ids import new_id
from registry.passkeys import Assertion
from registry.proposal_statements import PROPOSAL_TYP, ProposalClaims
from registry.proposals import LONGEST_LIFE, Proposal, ProposalAction, content_digest
from registry.record import build
from registry.records import Person
from registry.store import Act, Actor, Stored
from sealing import pending_statements
from sealing.administration.proposals import organ_of, propose
from sealing.pending_statements import PendingStatement
from sealing.workshop import Workshop


def begin_proposal(
    shop: Workshop, action: ProposalAction, content: dict[str, Any], *, person: str, reason: str, now: datetime
) -> str:
    """Fix what ``person`` is asked to sign for a proposal about a seal or an agreement; the handle.

    The signature is due within five minutes; the proposal then waits for its second person for 72 hours. Raises
    ``RecordInvalidError`` for a content that is not what the action takes or for the reason, ``NotFoundError``,
    ``NotAllowedError`` ``no-approval-passkey`` or ``approvals-held``. Whether the person may propose is checked when
    the proposal is taken.
    """
    values: dict[str, Any] = {
        "v": 1,
        "id": new_id("ppl"),
        "aud": shop.installation.log_origin,
        "action": action,
        "content_digest": content_digest(content),
        "organ": organ_of(shop, action, content),
        "person": person,
        "reason": reason,
        "made": now,
        "expires": now + LONGEST_LIFE,
    }
    payload = build(ProposalClaims, **values).model_dump(mode="json")
    statement = PendingStatement(person=person, typ=PROPOSAL_TYP, payload=payload, about=(canonical(content).decode(),))
    with shop.database.write() as connection:
        pending_statements.check_can_sign(connection, shop, person, now)
        return pending_statements.keep(connection, statement, now)


def finish_proposal(
    shop: Workshop, statement: PendingStatement, *, credential: str, assertion: Assertion, now: datetime
) -> Stored[Proposal]:
    """Record the signed proposal; nothing is done before a second person agreed.

    Raises as :func:`sealing.pending_statements.sign` and :func:`sealing.administration.proposals.propose`.
    """
    with shop.database.read() as connection:
        signed = pending_statements.sign(
            connection, shop, statement, credential=credential, assertion=assertion, now=now
        )
        person = shop.registry.get(connection, Person, statement.person).record
    claims = statement.payload
    (content,) = statement.about
    act = Act(by=Actor(id=person.id, name=person.name, organ=str(claims["organ"])), why=str(claims["reason"]), now=now)
    return propose(shop, claims["action"], json.loads(content), signed, act)
