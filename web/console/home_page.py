"""``/console``: what waits for the person who has signed in, and where to go on."""

from typing import Annotated, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.service import Serving
from sealing import drafts
from sealing.approval_cases import waiting_cases
from web.console.entrance import APPROVERS, Present, entrance
from web.templates import page

router: Final = APIRouter(prefix="/console", include_in_schema=False)
Anybody = Annotated[Present, entrance()]


@router.get("", operation_id="showConsole")
def show_console(request: Request, service: Serving, present: Anybody) -> Response:
    """What waits, by role."""
    with service.shop.database.read() as connection:
        waiting = sum(len(waiting_cases(connection, organ)) for organ in present.organs(*APPROVERS))
        begun = len(drafts.of_person(connection, present.person.id)) if present.has("seal_user") else 0
    return page(request, "console/home.html", present=present, waiting=waiting, begun=begun)
