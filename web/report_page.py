"""``/verify/report`` and ``/verify/shown``: a verdict that the visitor brings back, as a file or as the page again."""

import json
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.callers import PUBLIC
from api.errors import MediaTypeError, RequestError
from api.files import file_of
from api.rate_limit import limited_rate
from api.service import Serving
from sealing.verification_report import make_report
from verify.etsi_report import to_xml
from web.pictures import Pictures
from web.reading import reading_of
from web.templates import page
from web.verdict_token import VerdictTokens
from web.verdict_view import verdict_view

router: Final = APIRouter(prefix="/verify", dependencies=[PUBLIC], include_in_schema=False)
_FORM: Final = "application/x-www-form-urlencoded"
_FORMS: Final = ("json", "xml", "pdf")


async def _fields(request: Request) -> Mapping[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise MediaTypeError("form-expected", f"正文应为 {_FORM}", f"a body of type {_FORM} is expected")
    try:
        return dict(parse_qsl((await request.body()).decode(), max_num_fields=8))
    except ValueError as error:
        raise RequestError("form-unreadable", "表单不可读", "the form cannot be read") from error


Fields = Annotated[Mapping[str, str], Depends(_fields)]


@router.post("/shown", operation_id="showVerdictAgain", dependencies=[limited_rate("report")])
def show_again(request: Request, service: Serving, fields: Fields) -> Response:
    """The page in another language or size. Without pictures, as the file is gone; the verdict is as it was given."""
    token, tokens = fields.get("verdict", ""), request.app.state.verdict_tokens
    carried = tokens.read(token, service.now())
    view = verdict_view(carried.verdict, reading_of(request).language, name=carried.name)
    return page(request, "verdict.html", view=view, pictures=Pictures(), token=token, again=True)


@router.post("/report", operation_id="downloadReport", dependencies=[limited_rate("report")])
def download_report(request: Request, service: Serving, fields: Fields) -> Response:
    """The report in the form asked for: our JSON, ETSI TS 119 102-2 XML, or a sealed PDF."""
    form = fields.get("form", "")
    if form not in _FORMS:
        raise RequestError(
            "report-form-unknown", f"报告格式应为 {'、'.join(_FORMS)} 之一", f"one of {', '.join(_FORMS)} is expected"
        )
    now = service.now()
    tokens: VerdictTokens = request.app.state.verdict_tokens
    carried = tokens.read(fields.get("verdict", ""), now)
    verdict, stem = carried.verdict, f"yinxin-report-{carried.verdict.file_digest.removeprefix('sha256:')[:12]}"
    if form == "json":
        text = json.dumps(verdict.to_json(), ensure_ascii=False, indent=1).encode()
        return file_of(text, name=f"{stem}.json", media_type="application/json")
    if form == "xml":
        return file_of(to_xml(verdict), name=f"{stem}.xml", media_type="application/xml")
    language = reading_of(request).language
    made = service.verifying.run(
        lambda: make_report(service.shop, verdict, name=carried.name, language=language, now=now)
    )
    return file_of(made, name=f"{stem}.pdf", media_type="application/pdf")
