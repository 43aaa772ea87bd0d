"""``/help``: how to verify without us."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.callers import PUBLIC
from api.service import Serving
from web.templates import page

router: Final = APIRouter(dependencies=[PUBLIC], include_in_schema=False)


@router.get("/help", operation_id="showHelp")
async def show_help(request: Request, service: Serving) -> Response:
    """Commands, and where roots and log key are."""
    return page(request, "help.html", vkey=service.shop.identity.vkey)
