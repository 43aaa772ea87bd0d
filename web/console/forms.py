"""Bodies of the console's forms: read whole, bounded, and only from our own pages."""

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.requests import Request

from accounts.sessions import csrf_fits
from api.errors import ForbiddenError, MediaTypeError, RequestError
from web.console.entrance import Present

FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 100
_OWN: Final = frozenset({"same-origin", "none"})


async def _fields(request: Request) -> Mapping[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise MediaTypeError("form-expected", f"正文应为 {FORM}", f"a body of type {FORM} is expected")
    require_own_page(request)
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise RequestError("form-unreadable", "表单不可读", "the form cannot be read") from error
    typed = {name: value.strip() for name, value in pairs}
    request.state.typed = typed  # for a page that asks to sign in again: nothing typed is lost
    return typed


Fields = Annotated[Mapping[str, str], Depends(_fields)]


def require_own_page(request: Request) -> None:
    """Raise :class:`ForbiddenError` ``form-from-elsewhere`` when the browser says that another site sent the form.

    Old browsers say nothing of the site but an origin; whoever says neither is stopped by the token in the form.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    public = request.app.state.service.shop.settings.public_url
    if (site is not None and site not in _OWN) or (site is None and origin not in {None, own, public}):
        raise ForbiddenError(
            "form-from-elsewhere",
            "表单不是从本服务的页面提交的",
            "the form was not sent from a page of this service",
        )


def require_token(present: Present, token: str) -> None:
    """Raise :class:`ForbiddenError` ``form-token-wrong`` unless ``token`` is that of the session."""
    if not csrf_fits(present.session, token):
        raise ForbiddenError(
            "form-token-wrong",
            "页面已过期（可能您已在另一窗口重新登录）；请刷新页面后再提交",
            "the page is out of date, perhaps because you signed in again in another window; reload it and try again",
        )
