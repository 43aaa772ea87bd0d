"""``/console/account``: a person's own roles, passkeys, sessions and tries to sign in."""

import json
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from accounts.answers import Refused
from accounts.approval_passkeys import begin_offer, offered_by
from accounts.ceremonies import begin_registration, finish_registration
from accounts.desk import Desk
from accounts.errors import AccountError
from accounts.history import sign_ins_of
from accounts.passkeys import passkeys_of
from accounts.sessions import close_all, prove_session, sessions_of
from accounts.totp import has_totp
from api.service import Service, Serving
from sealing.account_desk import approval_place
from sealing.pending_statements import passkeys_of as approval_passkeys_of
from web.console.entrance import APPROVERS, GRANTOR, AtDesk, Present, entrance, keep_session, own_account, visitor_of
from web.console.forms import Fields, require_token
from web.console.sign_in_page import credential_of
from web.reading import reading_of
from web.templates import page, policy_with

router: Final = APIRouter(prefix="/console/account", include_in_schema=False)
Anybody = Annotated[Present, own_account()]
Approver = Annotated[Present, entrance(*APPROVERS, GRANTOR)]
AccountDesk = Annotated[Desk, AtDesk]
SHOWN: Final = 20
"""Tries to sign in that are shown."""


@router.get("", operation_id="showAccount")
def show_account(request: Request, service: Serving, present: Anybody) -> Response:
    """Everything that is the person's own."""
    return account_form(request, service, present)


def account_form(
    request: Request, service: Service, present: Present, *, refusal: AccountError | Refused | None = None
) -> Response:
    """The page, with what was refused on it."""
    person, now = present.person.id, service.now()
    with service.shop.database.read() as connection:
        members: dict[str, Any] = {
            "passkeys": passkeys_of(connection, person),
            "approval_passkeys": approval_passkeys_of(connection, service.shop, person, now),
            "offered": offered_by(connection, person),
            "with_totp": has_totp(connection, person),
            "sessions": sessions_of(connection, person, now),
            "tries": sign_ins_of(connection, person)[:SHOWN],
        }
    place = approval_place(service.shop.settings)
    headers = policy_with(f"form-action 'self' {place.origin}")
    return page(
        request,
        "console/account.html",
        status=200 if refusal is None else 422,
        headers=headers,
        refusal=refusal,
        present=present,
        approver=present.has(*APPROVERS, GRANTOR),
        **members,
    )


@router.post("/passkey/begin", operation_id="beginPasskey")
def begin_passkey(request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody) -> Response:
    """The page that makes a passkey to sign in with."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.write() as connection:
        ceremony = begin_registration(connection, desk, present.person.id, service.now())
    return page(
        request,
        "console/add_passkey.html",
        present=present,
        handle=ceremony.handle,
        options=json.dumps(ceremony.options),
    )


@router.post("/passkey", operation_id="addPasskey")
def add_passkey(request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody) -> Response:
    """Keep the passkey that the browser made; its holder was verified, so the session counts as opened with one."""
    require_token(present, fields.get("csrf", ""))
    finish_registration(
        desk,
        present.person.id,
        fields.get("handle", ""),
        answer=credential_of(fields),
        label=fields.get("label", ""),
        now=service.now(),
    )
    if present.session.with_passkey:
        return _back(request)
    visitor = visitor_of(request, service)
    with service.shop.database.write() as connection:
        token = prove_session(connection, present.session, visitor=visitor, now=service.now())
    return keep_session(_back(request), token)


@router.post("/approval-passkey", operation_id="beginApprovalPasskey")
def begin_approval_passkey(request: Request, service: Serving, fields: Fields, present: Approver) -> Response:
    """Go to the approval pages, where a passkey for approvals is made."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.write() as connection:
        handle = begin_offer(connection, present.person.id, service.now())
    query = urlencode({"handle": handle, "lang": reading_of(request).language})
    return RedirectResponse(f"{approval_place(service.shop.settings).origin}/approve/passkey?{query}", 303)


@router.post("/sign-out-everywhere", operation_id="signOutEverywhere")
def sign_out_everywhere(request: Request, service: Serving, fields: Fields, present: Anybody) -> Response:
    """End every other session of the person."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.write() as connection:
        close_all(connection, present.person.id, but=present.session.id)
    return _back(request)


def _back(request: Request) -> Response:
    return RedirectResponse(reading_of(request).link("/console/account"), 303)
