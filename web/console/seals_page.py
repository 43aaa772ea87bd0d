"""The seals that a grantor lends and a custodian keeps: what each is, its latest uses, stopping it in two clicks."""

from base64 import b64encode
from typing import Annotated, Any, Final, cast, get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.errors import RequestError
from api.service import Service, Serving
from registry.key_life import KeyRole
from registry.proposals import ProposalAction
from registry.records import Seal
from registry.seal_keys import RevocationReason
from registry.store import Act, Actor
from sealing.account_desk import approval_place
from sealing.administration.faces import face
from sealing.administration.passkey_proposals import begin_proposal
from sealing.administration.seals import SealStep, change_state, suspect
from sealing.errors import UnknownError
from sealing.seal_list import latest_uses, seals_of, view_of
from web.console.agreements_page import to_signing
from web.console.entrance import GRANTOR, Present, entrance
from web.console.forms import Fields, require_token
from web.reading import reading_of
from web.templates import page, policy_with

router: Final = APIRouter(prefix="/console/seals", include_in_schema=False)
Keeper = Annotated[Present, entrance(GRANTOR, "custodian")]
Administrator = Annotated[Present, entrance(GRANTOR)]
_STEPS: Final = ("enable", "suspend", "resume")
_PROPOSALS: Final = ("cancel_seal", "rotate_key", "destroy_seal")


@router.get("", operation_id="showSeals")
def show_seals(request: Request, service: Serving, present: Keeper) -> Response:
    """All of them, by name."""
    with service.shop.database.read() as connection:
        found = seals_of(connection, service.shop, owners=present.organs(GRANTOR), custodian=present.person.id)
    return page(request, "console/seals.html", present=present, found=found)


@router.get("/{seal_id}", operation_id="showSeal")
def show_seal(request: Request, service: Serving, present: Keeper, seal_id: str) -> Response:
    """One seal, with its face, its changes of state and its latest uses."""
    with service.shop.database.read() as connection:
        seal, role = _visible(service, present, connection, seal_id)
        view = view_of(connection, service.shop, seal)
        uses = latest_uses(connection, service.shop, seal.id)
        drawn = face(service.shop, connection, seal.id).svg()
    steps = {"pending": ("enable",), "active": ("suspend",), "suspended": ("resume",)}.get(seal.state, ())
    return page(
        request,
        "console/seal.html",
        headers=policy_with(f"form-action 'self' {approval_place(service.shop.settings).origin}"),
        present=present,
        view=view,
        uses=uses,
        face="data:image/svg+xml;base64," + b64encode(drawn.encode()).decode(),
        steps=[each for each in steps if role == "administrator" or each == "suspend"],
        living=seal.state in {"active", "suspended"},
        proposals=_proposals(seal) if role == "administrator" else (),
        revocation_reasons=get_args(RevocationReason),
    )


@router.post("/{seal_id}/state", operation_id="changeSealHere")
def change_seal(request: Request, service: Serving, fields: Fields, present: Keeper, seal_id: str) -> Response:
    """Enable, suspend, resume, or report the suspicion that the key is in other hands, with a reason."""
    require_token(present, fields.get("csrf", ""))
    reason, step = fields.get("reason", ""), fields.get("step", "")
    if not reason:
        raise RequestError("reason-missing", "请写明理由", "a reason is expected")
    with service.shop.database.read() as connection:
        _, role = _visible(service, present, connection, seal_id)
    act = Act(by=Actor(id=present.person.id, name=present.person.name, organ=None), why=reason, now=service.now())
    if step == "suspect":
        suspect(service.shop, seal_id, act, role=role)
    elif step in _STEPS:
        change_state(service.shop, seal_id, cast("SealStep", step), act, role=role)
    else:
        raise RequestError("step-unknown", "请选择要做的事", "choose what to do")
    return RedirectResponse(reading_of(request).link(f"/console/seals/{seal_id}"), 303)


@router.post("/{seal_id}/propose", operation_id="proposeForSeal")
def propose_for_seal(
    request: Request, service: Serving, fields: Fields, present: Administrator, seal_id: str
) -> Response:
    """Go to sign the proposal to cancel the seal, to give it a new key, or to destroy its keys."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.read() as connection:
        _visible(service, present, connection, seal_id)
    action, content = fields.get("action", ""), {"seal": seal_id}
    if action not in _PROPOSALS:
        raise RequestError("step-unknown", "请选择要做的事", "choose what to do")
    if not fields.get("reason"):
        raise RequestError("reason-missing", "请写明理由", "a reason is expected")
    if action == "cancel_seal":
        content["reason"] = fields.get("revocation_reason", "")
    if action == "rotate_key":
        content["algorithm"] = "ecdsa-p256-sha256"
    handle = begin_proposal(
        service.shop,
        cast("ProposalAction", action),
        content,
        person=present.person.id,
        reason=fields["reason"],
        now=service.now(),
    )
    return to_signing(request, service, handle)


def _proposals(seal: Seal) -> tuple[str, ...]:
    """What may be proposed for a seal in its state."""
    if seal.takes_its_number:
        return ("cancel_seal",) if seal.state == "pending" else ("cancel_seal", "rotate_key")
    return ("destroy_seal",) if seal.state == "cancelled" else ()


def _visible(service: Service, present: Present, connection: Any, seal_id: str) -> tuple[Seal, KeyRole]:  # noqa: ANN401  a connection
    """The seal, and as what the person looks after it; a stranger's seal reads as if it did not exist."""
    found = service.shop.registry.look(connection, Seal, seal_id)
    if found is not None and found.record.owner in present.organs(GRANTOR):
        return found.record, "administrator"
    if found is not None and found.record.custodian == present.person.id and present.has("custodian"):
        return found.record, "custodian"
    raise UnknownError("seal-unknown", f"没有印章 {seal_id}", f"there is no seal {seal_id}")
