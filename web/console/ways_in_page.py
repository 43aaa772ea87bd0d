"""A person's own ways in, changed by themselves: password, codes from the telephone, passkeys, sessions."""

from base64 import b64encode
from io import BytesIO
from typing import Annotated, Final

import segno
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from accounts.desk import Desk
from accounts.errors import ChoiceError
from accounts.passkeys import passkeys_of, remove_passkey
from accounts.password_change import change_password
from accounts.sessions import close_session
from accounts.totp import begin_totp, confirm_totp, remove_totp
from api.errors import RequestError
from api.service import Serving
from sealing.account_desk import WITH_PASSKEY
from web.console.account_page import account_form
from web.console.entrance import AtDesk, Present, own_account
from web.console.forms import Fields, require_token
from web.reading import reading_of
from web.templates import page

router: Final = APIRouter(prefix="/console/account", include_in_schema=False)
Anybody = Annotated[Present, own_account()]
AccountDesk = Annotated[Desk, AtDesk]


@router.post("/password", operation_id="changePassword")
def change_own_password(
    request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody
) -> Response:
    """A new password for the old one; every other session ends."""
    require_token(present, fields.get("csrf", ""))
    new = fields.get("new_password", "")
    if new != fields.get("again", ""):
        refusal = ChoiceError("passwords-differ", "两次输入的密码不一致", "the two passwords differ")
        return account_form(request, service, present, refusal=refusal)
    try:
        refused = change_password(desk, present.session, fields.get("password", ""), new=new, now=service.now())
    except ChoiceError as error:
        return account_form(request, service, present, refusal=error)
    return _back(request) if refused is None else account_form(request, service, present, refusal=refused)


@router.post("/totp/begin", operation_id="beginTotp")
def begin_own_totp(request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody) -> Response:
    """A new secret, as letters and as a picture for the telephone; shown once."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.write() as connection:
        made = begin_totp(connection, desk, present.person.id, service.now())
    drawn = BytesIO()
    segno.make(made.uri).save(drawn, kind="svg", scale=5, border=2)
    picture = "data:image/svg+xml;base64," + b64encode(drawn.getvalue()).decode()
    return page(request, "console/totp.html", present=present, handle=made.handle, secret=made.secret, picture=picture)


@router.post("/totp", operation_id="confirmTotp")
def confirm_own_totp(
    request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody
) -> Response:
    """Keep the secret once a code of it was typed."""
    require_token(present, fields.get("csrf", ""))
    try:
        confirm_totp(desk, present.person.id, fields.get("handle", ""), code=fields.get("code", ""), now=service.now())
    except ChoiceError as error:
        return account_form(request, service, present, refusal=error)
    return _back(request)


@router.post("/totp/remove", operation_id="removeTotp")
def remove_own_totp(
    request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody
) -> Response:
    """Ask for no code any more."""
    require_token(present, fields.get("csrf", ""))
    remove_totp(desk, present.person.id, service.now())
    return _back(request)


@router.post("/passkey/remove", operation_id="removePasskey")
def remove_own_passkey(
    request: Request, service: Serving, desk: AccountDesk, fields: Fields, present: Anybody
) -> Response:
    """Forget a passkey; whoever must have one keeps the last."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.read() as connection:
        own = passkeys_of(connection, present.person.id)
    if len(own) == 1 and present.has(*WITH_PASSKEY):
        raise RequestError(
            "last-passkey",
            "您的职务须用通行密钥登录；请先添加另一把，再删除这一把",
            "your role asks for a passkey; add another one before you remove this",
        )
    named = next((each for each in own if each.credential.hex() == fields.get("passkey", "")), None)
    if named is not None:
        remove_passkey(desk, present.person.id, named.credential, service.now())
    return _back(request)


@router.post("/session/end", operation_id="endSession")
def end_session(request: Request, service: Serving, fields: Fields, present: Anybody) -> Response:
    """Sign one place out."""
    require_token(present, fields.get("csrf", ""))
    with service.shop.database.write() as connection:
        close_session(connection, present.person.id, fields.get("session", ""))
    return _back(request)


def _back(request: Request) -> Response:
    return RedirectResponse(reading_of(request).link("/console/account"), 303)
