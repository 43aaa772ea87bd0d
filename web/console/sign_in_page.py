"""``/sign-in``: password, then the second factor; or a passkey alone. And ``/sign-out``, and opening an account."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from accounts.answers import Answer, Refused, SecondFactor, SignedIn
from accounts.ceremonies import begin_sign_in
from accounts.desk import Desk
from accounts.enrolment import open_account, recover
from accounts.errors import AccountError
from accounts.sessions import close_session, find_session
from accounts.sign_in import try_passkey, try_password, try_totp
from api.callers import PUBLIC
from api.errors import RequestError
from api.rate_limit import limited_rate
from api.service import Serving
from web.console.entrance import COOKIE, AtDesk, keep_session, visitor_of
from web.console.forms import Fields
from web.reading import reading_of
from web.templates import page

router: Final = APIRouter(dependencies=[PUBLIC], include_in_schema=False)
SigningIn = Annotated[Desk, AtDesk]
HOME: Final = "/console"
_LIMIT: Final = [limited_rate("sign-in")]


@router.get("/sign-in", operation_id="showSignIn")
def show_sign_in(request: Request) -> Response:
    """The form."""
    return _form(request, to=request.query_params.get("next", ""))


@router.post("/sign-in", operation_id="signIn", dependencies=_LIMIT)
def sign_in(request: Request, service: Serving, desk: SigningIn, fields: Fields) -> Response:
    """Name and password."""
    name = fields.get("name", "")
    answer = try_password(
        desk, name, fields.get("password", ""), visitor=visitor_of(request, service), now=service.now()
    )
    return _answered(request, answer, name=name, to=fields.get("next", ""))


@router.post("/sign-in/code", operation_id="signInByCode", dependencies=_LIMIT)
def sign_in_by_code(request: Request, service: Serving, desk: SigningIn, fields: Fields) -> Response:
    """The code from the telephone."""
    answer = try_totp(
        desk,
        fields.get("handle", ""),
        fields.get("code", ""),
        visitor=visitor_of(request, service),
        now=service.now(),
    )
    return _answered(request, answer, to=fields.get("next", ""))


@router.post("/sign-in/passkey/begin", operation_id="beginPasskeySignIn", dependencies=_LIMIT)
def begin_passkey_sign_in(request: Request, service: Serving, desk: SigningIn, fields: Fields) -> Response:
    """The page that asks the browser for a passkey of this place."""
    with service.shop.database.write() as connection:
        ceremony = begin_sign_in(connection, desk, service.now())
    return _second(request, ceremony.handle, ("passkey",), ceremony.options, to=fields.get("next", ""))


@router.post("/sign-in/passkey", operation_id="signInByPasskey", dependencies=_LIMIT)
def sign_in_by_passkey(request: Request, service: Serving, desk: SigningIn, fields: Fields) -> Response:
    """What the browser answered."""
    answer = try_passkey(
        desk,
        fields.get("handle", ""),
        credential_of(fields),
        visitor=visitor_of(request, service),
        now=service.now(),
    )
    return _answered(request, answer, to=fields.get("next", ""))


@router.post("/sign-out", operation_id="signOut")
def sign_out(request: Request, service: Serving, fields: Fields) -> Response:  # noqa: ARG001  read to refuse strangers
    """End this session; harmless when there is none."""
    with service.shop.database.write() as connection:
        found = find_session(connection, request.cookies.get(COOKIE, ""), service.now())
        if found is not None:
            close_session(connection, found.person, found.id)
    answer = RedirectResponse(reading_of(request).link("/sign-in"), 303)
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


@router.get("/open-account", operation_id="showOpenAccount")
def show_open_account(request: Request) -> Response:
    """Where a one-time code is brought."""
    return page(request, "console/open_account.html", name="", refusal=None)


@router.post("/open-account", operation_id="openAccount", dependencies=_LIMIT)
def open_new_account(request: Request, service: Serving, desk: SigningIn, fields: Fields) -> Response:
    """Open an account, or recover one, with a one-time code."""
    name, code, password = (fields.get(each, "") for each in ("name", "code", "password"))
    try:
        _check_twice(password, fields.get("again", ""))
        if fields.get("purpose") == "recover":
            recover(desk, code, password=password, now=service.now())
        else:
            open_account(desk, code, name, password=password, now=service.now())
    except (AccountError, RequestError) as error:
        refusal = Refused(code=error.code, zh=error.zh, en=error.en)
        return page(request, "console/open_account.html", status=422, name=name, refusal=refusal)
    return RedirectResponse(reading_of(request).link("/sign-in"), 303)


def _check_twice(password: str, again: str) -> None:
    if again != password:
        raise RequestError("passwords-differ", "两次输入的密码不一致", "the two passwords differ")


def credential_of(fields: Mapping[str, str]) -> Mapping[str, Any]:
    """What ``navigator.credentials`` answered, as our script sends it; judged by whoever takes it."""
    try:
        told = json.loads(fields.get("credential", ""))
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise RequestError(
            "credential-missing",
            "没有收到通行密钥的回答；请使用支持通行密钥的浏览器并允许脚本",
            "no answer of a passkey came; use a browser that has passkeys, with scripts allowed",
        )
    return told


def _answered(request: Request, answer: Answer, *, to: str, name: str = "") -> Response:
    if isinstance(answer, Refused):
        return _form(request, to=to, name=name, refusal=answer)
    if isinstance(answer, SecondFactor):
        return _second(request, answer.handle, answer.methods, answer.options, to=to, refusal=answer.refusal)
    return _signed_in(request, answer, to)


def _signed_in(request: Request, answer: SignedIn, to: str) -> Response:
    home = "/console/account" if answer.must_add_passkey else _inside(to)
    response = RedirectResponse(reading_of(request).link(home), 303)
    return keep_session(response, answer.token)


def _inside(to: str) -> str:
    """Where to go on: a page of the console, never an address of somebody else's choosing."""
    return quote(to) if to.startswith("/console") and not to.startswith("/console//") else HOME


def _form(request: Request, *, to: str, name: str = "", refusal: Refused | None = None) -> Response:
    status = 200 if refusal is None else 401
    return page(request, "console/sign_in.html", status=status, to=_inside(to), name=name, refusal=refusal)


def _second(
    request: Request,
    handle: str,
    methods: tuple[str, ...],
    options: Mapping[str, Any] | None,
    *,
    to: str,
    refusal: Refused | None = None,
) -> Response:
    return page(
        request,
        "console/second_factor.html",
        status=200 if refusal is None else 401,
        to=_inside(to),
        handle=handle,
        methods=methods,
        options=None if options is None else json.dumps(options),
        refusal=refusal,
    )
