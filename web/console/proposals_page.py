"""What waits for a second person at a grantor: the proposal as it was signed, and the way to decide it by passkey."""

import json
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.errors import RequestError
from api.service import Service, Serving
from registry.records import Person, Proposal
from sealing.account_desk import approval_place
from sealing.administration.passkey_decisions import begin_decision
from sealing.errors import UnknownError
from web.console.entrance import GRANTOR, Present, entrance
from web.console.forms import Fields, require_token
from web.reading import reading_of
from web.templates import page, policy_with

router: Final = APIRouter(prefix="/console/proposals", include_in_schema=False)
Administrator = Annotated[Present, entrance(GRANTOR)]
LATEST: Final = 100


@router.get("", operation_id="showProposals")
def show_proposals(request: Request, service: Serving, present: Administrator) -> Response:
    """Those of the person's organs, the open ones first, then the newest."""
    with service.shop.database.read() as connection:
        found = [
            each.record
            for organ in present.organs(GRANTOR)
            for each in service.shop.registry.find(connection, Proposal, organ=organ)
        ]
        names = {each.proposed_by: _name(service, connection, each.proposed_by) for each in found}
    found.sort(key=lambda each: each.proposed_at, reverse=True)
    found.sort(key=lambda each: each.state != "open")
    return page(request, "console/proposals.html", present=present, found=found[:LATEST], names=names)


@router.get("/{proposal_id}", operation_id="showProposal")
def show_proposal(request: Request, service: Serving, present: Administrator, proposal_id: str) -> Response:
    """One proposal with its whole content."""
    with service.shop.database.read() as connection:
        found = _visible(service, present, connection, proposal_id)
        names = {
            person: _name(service, connection, person)
            for person in (found.proposed_by, found.decided_by)
            if person is not None
        }
    place = approval_place(service.shop.settings)
    return page(
        request,
        "console/proposal.html",
        headers=policy_with(f"form-action 'self' {place.origin}"),
        present=present,
        proposal=found,
        content=_laid_out(found.content),
        outcome=None if found.outcome is None else _laid_out(found.outcome),
        names=names,
        here_after_proposing=request.query_params.get("done") == "proposed",
        may_decide=found.is_open(service.now()) and found.proposed_by != present.person.id,
    )


@router.post("/{proposal_id}/decide", operation_id="beginDecision")
def decide_proposal(
    request: Request, service: Serving, fields: Fields, present: Administrator, proposal_id: str
) -> Response:
    """Fix the decision and go to the approval pages, where the passkey signs it."""
    require_token(present, fields.get("csrf", ""))
    choice, reason = fields.get("choice", ""), fields.get("reason", "")
    if choice not in {"approve", "reject"} or not reason:
        raise RequestError(
            "decision-incomplete", "请选择同意或不同意，并写明理由", "choose a decision and give a reason"
        )
    with service.shop.database.read() as connection:
        _visible(service, present, connection, proposal_id)
    handle = begin_decision(
        service.shop,
        proposal_id,
        person=present.person.id,
        choice="approve" if choice == "approve" else "reject",
        reason=reason,
        now=service.now(),
    )
    query = urlencode({"handle": handle, "lang": reading_of(request).language})
    return RedirectResponse(f"{approval_place(service.shop.settings).origin}/approve?{query}", 303)


def _visible(service: Service, present: Present, connection: Any, proposal_id: str) -> Proposal:  # noqa: ANN401  a connection
    found = service.shop.registry.look(connection, Proposal, proposal_id)
    if found is None or found.record.organ not in present.organs(GRANTOR):
        raise UnknownError("proposal-unknown", f"没有提案 {proposal_id}", f"there is no proposal {proposal_id}")
    return found.record


def _laid_out(content: str) -> str:
    """Canonical JSON as people read it: the same, over several lines."""
    return json.dumps(json.loads(content), ensure_ascii=False, indent=2)


def _name(service: Service, connection: Any, person: str) -> str:  # noqa: ANN401  a connection
    found = service.shop.registry.look(connection, Person, person)
    return person if found is None else found.record.name
