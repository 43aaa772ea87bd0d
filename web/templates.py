"""Templates into answers: everything is escaped, nothing comes from outside, no cookie is ever set."""

from collections.abc import Mapping
from functools import cache
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from web.console_places import places_of
from web.moments import moment
from web.reading import reading_of
from web.words import Words

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language",
}
"""Beside those that every answer of the service has."""


def policy_with(directive: str) -> Mapping[str, str]:
    """The headers of a page whose form leads to our other host: ``directive`` in place of its namesake."""
    name = directive.partition(" ")[0]
    parts = [each.strip() for each in HEADERS["Content-Security-Policy"].split(";")]
    kept = [directive if each.partition(" ")[0] == name else each for each in parts]
    return {"Content-Security-Policy": "; ".join(kept)}


_PLACES: Final = ("/verify", "/check", "/help", "/sign-in", "/open-account")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("web"),
        autoescape=True,  # whatever the suffix
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["places_of"] = places_of
    made.globals["moment"] = moment
    return made


def page(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **members: object
) -> Response:
    """The answer made of ``template``; it sees ``members``, the words and how the visitor reads."""
    reading = reading_of(request)
    text = (
        _templates()
        .get_template(template)
        .render(
            reading=reading,
            words=Words(reading.language),
            here=request.url.path,
            stay=_stay(request.url.path),
            home=request.app.state.service.shop.settings.public_url,
            **members,
        )
    )
    return HTMLResponse(text, status, headers={**HEADERS, "Content-Language": reading.tag, **(headers or {})})


def _stay(path: str) -> str:
    """Where the links for language and size lead: a page of ours, never the caller's words, as ``//elsewhere`` is."""
    if path.startswith(("/c/", "/console")):
        return quote(path)
    return path if path in _PLACES else _PLACES[0]
