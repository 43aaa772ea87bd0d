"""Problems as pages: the words of the problem document with its code, never anything of the inside."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.problems import Problem
from sealing.settings import MEGABYTE
from web.reading import Language, reading_of
from web.templates import page
from web.words import Words

_PROGRAMS: Final = ("/v1/", "/oauth/")
_TOO_LARGE: Final = {"document-too-large", "body-too-large"}
SIGN_IN: Final = "sign-in-needed"
_AGAIN: Final = {SIGN_IN, "form-token-wrong"}
"""Codes after which the same form can simply be sent once more."""
_FIELDS: Final = {
    "document-too-large": "document",
    "body-too-large": "document",
    "part-missing": "document",
    "part-too-large": "receipt",
    "receipt-unreadable": "receipt",
    "check-code-malformed": "code",
    "check-code-unknown": "code",
    "check-number-missing": "number",
    "check-number-too-long": "number",
}
"""Which field of the form a person should look at."""


def problem_page(request: Request, problem: Problem) -> Response | None:
    """The page about ``problem``, or None where a program asked."""
    if request.url.path.startswith(_PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return None
    return told(request, problem)


def told(request: Request, problem: Problem, *, code: str = "", number: str = "") -> Response:
    """The form again with the problem beside its field, or a page of its own; ``code`` and ``number`` as typed."""
    if problem.code in _AGAIN:
        return _again(request, problem)
    field = _FIELDS.get(problem.code)
    form = _form(request, field)
    members = {"code": code, "number": number} if form == "check.html" else {}
    settings = request.app.state.service.shop.settings
    return page(
        request,
        form,
        status=problem.status,
        headers=problem.headers,
        problem=problem,
        sentence=_sentence(problem, reading_of(request).language, settings.max_verification_bytes),
        field=field,
        most=settings.max_verification_bytes,
        request_id=request.state.request_id,
        back=_back(request),
        **members,
    )


def _again(request: Request, problem: Problem) -> Response:
    """To the sign-in, and from there back; a form that was sent is kept on a page from which it can be sent again."""
    path = request.url.path
    typed: Mapping[str, str] | None = getattr(request.state, "typed", None)
    if request.method == "GET" and problem.code == SIGN_IN:
        query = urlencode({"next": path} | dict(request.query_params))
        return RedirectResponse(f"/sign-in?{query}", 303)
    present = getattr(request.state, "present", None)
    return page(
        request,
        "console/send_again.html",
        status=problem.status,
        problem=problem,
        sentence=_sentence(problem, reading_of(request).language, 0),
        action=reading_of(request).link(path),
        carried={name: value for name, value in (typed or {}).items() if name != "csrf"},
        csrf="" if present is None else present.csrf,
        lost=typed is None,
    )


def _back(request: Request) -> str:
    """Where a page about a problem leads: to the console from its pages, else to verification."""
    path = request.url.path
    if path.startswith("/approve"):
        return f"{request.app.state.service.shop.settings.public_url}/console/approvals"
    return reading_of(request).link("/console" if path.startswith("/console") else "/verify")


def _sentence(problem: Problem, language: Language, most: int) -> str:
    """The problem's own words; of a file that is too large, how large one may be, as people count."""
    if problem.code in _TOO_LARGE:
        return Words(language)("file_too_large", most=most // MEGABYTE)
    return problem.en if language == "en" else problem.zh


def _form(request: Request, field: str | None) -> str:
    if request.method == "POST" and request.url.path == "/verify" and field in {"document", "receipt"}:
        return "verify.html"
    if request.url.path.startswith(("/check", "/c/")) and field in {"code", "number"}:
        return "check.html"
    return "problem.html"
