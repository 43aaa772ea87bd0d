"""Two-person control: what one administrator proposes and another decides; each statement signed with their own key."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field

from api.bodies import After, Body, Id, Kept, Limit, Page, kept, page_of
from api.callers import Grantor, Requester, act_of, callers, hidden, require_organ
from api.service import Service, Serving
from registry.fields import OrganCode
from registry.proposals import ProposalAction, ProposalState
from registry.records import Proposal
from registry.row_guard import Stored
from sealing.administration import proposals

router: Final = APIRouter(prefix="/v1/proposals", tags=["proposals"])
Reader = Annotated[Requester, callers("grantor_administrator", "auditor")]
Statement = Annotated[str, Field(min_length=1, max_length=65_536, description="JWS compact, ES256: docs/proposals.md")]


class ProposalBody(Body):
    """What is to be done, whole, and the proposer's signed statement over its digest."""

    action: ProposalAction
    organ: Annotated[OrganCode, Field(description="the organ whose administrators decide")]
    content: Annotated[dict[str, Any], Field(description="docs/proposals.md")]
    statement: Statement


class DecisionBody(Body):
    """The second person's signed statement, to approve or to reject."""

    statement: Statement


@router.post("", operation_id="propose", status_code=201)
def propose(service: Serving, caller: Grantor, body: ProposalBody) -> Kept[Proposal]:
    """Propose an act that takes two persons. Nothing is done before another administrator approves it."""
    require_organ(caller, body.organ)
    act = act_of(caller, _REASON, service, organ=body.organ)
    return kept(proposals.propose(service.shop, body.action, body.content, body.statement, act))


@router.get("", operation_id="listProposals")
def list_proposals(
    service: Serving,
    caller: Reader,
    limit: Limit = 100,
    after: After = None,
    state: Annotated[ProposalState | None, Query()] = None,
) -> Page[Proposal]:
    """The proposals of the caller's organs, or all for an auditor, by id."""
    wanted = {} if state is None else {"state": state}
    with service.shop.database.read() as connection:
        found = [each.record for each in service.shop.registry.find(connection, Proposal, **wanted)]
    return page_of([each for each in found if _sees(caller, each)], lambda each: each.id, after=after, limit=limit)


@router.get("/{proposal_id}", operation_id="readProposal")
def read_proposal(service: Serving, proposal_id: Id, caller: Reader) -> Kept[Proposal]:
    """One proposal: content, both statements, and how it ended."""
    return kept(_visible(service, proposal_id, caller))


@router.post("/{proposal_id}/decision", operation_id="decideProposal")
def decide(service: Serving, proposal_id: Id, caller: Grantor, body: DecisionBody) -> Kept[Proposal]:
    """Approve or reject. What is approved is done at once; ``outcome`` tells what was made, or why it failed."""
    organ = _visible(service, proposal_id, caller).record.organ
    act = act_of(caller, _REASON, service, organ=organ)
    return kept(proposals.decide(service.shop, proposal_id, body.statement, act))


_REASON: Final = "见所附签名声明 / as the signed statement says"


def _visible(service: Service, proposal_id: str, caller: Requester) -> Stored[Proposal]:
    with service.shop.database.read() as connection:
        found = service.shop.registry.get(connection, Proposal, proposal_id)
    if not _sees(caller, found.record):
        raise hidden("proposal", proposal_id)
    return found


def _sees(caller: Requester, proposal: Proposal) -> bool:
    return caller.sees_all or caller.acts_for(proposal.organ)
