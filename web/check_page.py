"""``/check`` and ``/c/{code}``: what the holder of a paper may ask by its check code, without the file."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.callers import PUBLIC
from api.rate_limit import limited_rate
from api.service import Serving
from sealing.check_codes import parse_check_code
from sealing.errors import OrderError, UnknownError
from sealing.paper_check import look_up
from web.check_view import check_view
from web.code_tries import CodeTries
from web.problem_page import told
from web.reading import reading_of
from web.report_page import Fields
from web.templates import page

router: Final = APIRouter(dependencies=[PUBLIC], include_in_schema=False)


@router.get("/check", operation_id="showCheckForm")
async def show_check_form(request: Request) -> Response:
    """The form, empty."""
    return page(request, "check.html", code="", number="", problem=None, sentence="", field=None)


@router.get("/c/{code}", operation_id="showCode")
async def show_code(request: Request, code: str) -> Response:
    """Where a QR code leads: the form with its code. Nothing is told of the code before a number was typed."""
    try:
        asked = parse_check_code(code)
    except OrderError as error:
        return told(request, problems.problem(error), code=code[:100])
    return page(request, "check.html", code=asked, number="", problem=None, sentence="", field=None)


@router.post("/check", operation_id="showPaperCheck", dependencies=[limited_rate("check")])
def show_paper_check(request: Request, service: Serving, fields: Fields) -> Response:
    """Match or no match."""
    code, number = fields.get("code", ""), fields.get("number", "")
    tries: CodeTries = request.app.state.code_tries
    try:
        asked = parse_check_code(code)
        tries.require(asked)
        found = look_up(service.shop, asked, number, service.now())
    except (OrderError, UnknownError) as error:
        return told(request, problems.problem(error), code=code[:100], number=number[:200])
    if not found.matches:
        tries.miss(asked)
    return page(request, "checked.html", view=check_view(found, reading_of(request).language), number=number)
