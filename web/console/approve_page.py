"""``/approve``, under the host of approvals: the statement in words, the passkey, and the seals that follow at once.

Nobody is signed in here. Who comes with the handle sees what one person was asked to sign; only a passkey of that
person, made for this host, can sign it.
"""

import json
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from accounts.approval_passkeys import finish_offer, offer_options, offering_person
from accounts.desk import Desk
from api import outcomes
from api.callers import PUBLIC
from api.errors import RequestError
from api.problems import problem
from api.service import Service, Serving
from policies.facts import ItemKey
from registry.base64url import from_base64url
from registry.passkeys import Assertion
from registry.proposal_statements import DECISION_TYP, PROPOSAL_TYP
from registry.records import Person, Proposal
from sealing import applications, pending_statements
from sealing.account_desk import approval_place
from sealing.administration.passkey_decisions import finish_decision
from sealing.administration.passkey_proposals import finish_proposal
from sealing.choices import item_name
from sealing.errors import UnknownError
from sealing.order import Caller
from sealing.passkey_approval import finish
from sealing.reception import waiting_submission
from web.console.entrance import AtDesk
from web.console.forms import Fields
from web.console.sign_in_page import credential_of
from web.reading import reading_of
from web.templates import page, policy_with


async def _at_the_place(request: Request, service: Serving) -> None:
    """These pages are nowhere else: not beside the pages for signing in."""
    if request.headers.get("host", "").lower() != urlsplit(approval_place(service.shop.settings).origin).netloc:
        raise UnknownError("route-unknown", "没有这个地址", "there is nothing under this address")


router: Final = APIRouter(prefix="/approve", dependencies=[PUBLIC, Depends(_at_the_place)], include_in_schema=False)
ApprovalDesk = Annotated[Desk, AtDesk]
_PAGES: Final = {DECISION_TYP: "console/decide.html", PROPOSAL_TYP: "console/propose.html"}


@router.get("", operation_id="showStatement")
def show_statement(request: Request, service: Serving) -> Response:
    """What will be signed, and the button that asks the passkey."""
    handle, now, shop = request.query_params.get("handle", ""), service.now(), service.shop
    with shop.database.read() as connection:
        statement = pending_statements.look(connection, handle, now)
        members: dict[str, Any] = {"options": json.dumps(pending_statements.options(connection, shop, statement, now))}
        if statement.typ == DECISION_TYP:
            members["content"] = shop.registry.get(connection, Proposal, statement.about[0]).record.content
        elif statement.typ == PROPOSAL_TYP:
            members["content"] = statement.about[0]
        else:
            named = statement.payload["item"]
            key = ItemKey(list=named["list"], number=named["number"])
            members["item"] = item_name(connection, shop, key, now)
    return page(
        request,
        _PAGES.get(statement.typ, "console/approve.html"),
        headers=policy_with(f"form-action 'self' {shop.settings.public_url}"),
        claims=statement.payload,
        handle=handle,
        **members,
    )


@router.post("", operation_id="signStatement")
def sign_statement(request: Request, service: Serving, fields: Fields) -> Response:
    """Take the signature, and do at once what it allows: seal the case, record or carry out the proposal."""
    credential, now = credential_of(fields), service.now()
    signer = str(credential.get("id", ""))
    given: dict[str, Any] = {"credential": signer, "assertion": _assertion(credential), "now": now}
    statement = pending_statements.take(service.shop, fields.get("handle", ""), now)
    if statement.typ == DECISION_TYP:
        decided = finish_decision(service.shop, statement, **given)
        return _home(request, service, f"/console/proposals/{decided.record.id}", decided.record.state)
    if statement.typ == PROPOSAL_TYP:
        proposed = finish_proposal(service.shop, statement, **given)
        return _home(request, service, f"/console/proposals/{proposed.record.id}", "proposed")
    approved = finish(service.shop, statement, **given)
    states = [_sealed(service, each, service.addresses.of_caller(request)) for each in approved]
    done = "sealed" if all(each == "sealed" for each in states) else "partly"
    return _home(request, service, "/console/approvals", done)


def _home(request: Request, service: Service, path: str, done: str) -> Response:
    query = urlencode({"done": done, "lang": reading_of(request).language})
    return RedirectResponse(f"{service.shop.settings.public_url}{path}?{query}", 303)


def _assertion(credential: object) -> Assertion:
    try:
        response = credential["response"]  # type: ignore[index]  # judged by the except
        return Assertion(
            authenticator_data=from_base64url(str(response["authenticatorData"])),
            client_data=from_base64url(str(response["clientDataJSON"])),
            signature=from_base64url(str(response["signature"])),
        )
    except (KeyError, TypeError, ValueError):
        raise RequestError(
            "credential-missing", "通行密钥的回答不可读", "the passkey's answer cannot be read"
        ) from None


def _sealed(service: Service, application: str, address: str | None) -> str:
    """Seal at once, in the name of the seal user who applied; what an approval system brought, it seals itself."""
    with service.shop.database.read() as connection:
        found = applications.get(connection, application)
    if not found.client.startswith("per-"):
        return "sealed"
    caller = Caller(client=found.client, organs=(found.organ,), roles=("approval_system",), address=address)
    try:
        submission = waiting_submission(service.shop, application, caller)
        return outcomes.seal(service, submission, caller, application=application).state
    except Exception as error:
        if problem(error).status >= 500:  # noqa: PLR2004  the approval stands; the applicant can have it sealed later
            return "later"
        raise


@router.get("/passkey", operation_id="showOfferPasskey")
def show_offer_passkey(request: Request, service: Serving) -> Response:
    """Where a person makes the passkey with which they will approve."""
    handle, place = request.query_params.get("handle", ""), approval_place(service.shop.settings)
    with service.shop.database.read() as connection:
        person = offering_person(connection, handle, service.now())
        name = service.shop.registry.get(connection, Person, person).record.name
        options = offer_options(connection, place, handle, name=name, now=service.now())
    return page(request, "console/offer_passkey.html", handle=handle, options=json.dumps(options), name=name, made=None)


@router.post("/passkey", operation_id="offerPasskey")
def offer_passkey(request: Request, service: Serving, desk: ApprovalDesk, fields: Fields) -> Response:
    """Keep it as offered, and show the fingerprint that an administrator will compare."""
    made = finish_offer(
        desk,
        approval_place(service.shop.settings),
        fields.get("handle", ""),
        answer=credential_of(fields),
        now=service.now(),
    )
    return page(
        request,
        "console/offer_passkey.html",
        handle="",
        options="",
        name="",
        made=made,
        home_link=f"{service.shop.settings.public_url}/console/account",
    )
