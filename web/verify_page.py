"""``/verify``: upload a PDF, see its verdict. The file is judged, drawn and forgotten."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.callers import PUBLIC
from api.errors import RequestError
from api.rate_limit import limited_rate
from api.service import Serving
from api.uploads import Parts, Upload
from sealing.verification import judge_upload
from verify.receipt import Receipt
from verify.verdict import Verdict
from web.pictures import Pictures, draw
from web.reading import reading_of
from web.templates import page
from web.verdict_token import CarriedVerdict, VerdictTokens
from web.verdict_view import verdict_view

router: Final = APIRouter(dependencies=[PUBLIC], include_in_schema=False)
Uploaded = Annotated[
    Upload, Depends(Parts("document", optional=("receipt",), most=lambda settings: settings.max_verification_bytes))
]


@router.get("/", operation_id="showHome")
async def show_home(request: Request) -> Response:
    """What most visitors come for."""
    return RedirectResponse(reading_of(request).link("/verify"), 303)


@router.get("/verify", operation_id="showVerifyForm")
async def show_verify_form(request: Request, service: Serving) -> Response:
    """The form."""
    most = service.shop.settings.max_verification_bytes
    return page(request, "verify.html", most=most, problem=None, sentence="", field=None)


@router.post("/verify", operation_id="showVerdict", dependencies=[limited_rate("verification")])
def show_verdict(request: Request, service: Serving, upload: Uploaded) -> Response:
    """The verdict on the file uploaded."""
    if not upload.file.name and upload.file.length == 0:
        raise RequestError("part-missing", "请先选择一个 PDF 文件", "choose a PDF file first")
    given = upload.fields.get("receipt")
    receipt = Receipt.from_bytes(given) if given else None  # a browser sends an empty part for no file
    now, file, shop = service.now(), upload.file, service.shop

    def judge() -> tuple[Verdict, Pictures]:
        verdict = judge_upload(shop, file.path, length=file.length, receipt=receipt, now=now)
        return verdict, draw(shop, file.path, length=file.length)

    verdict, pictures = service.verifying.run(judge)
    tokens: VerdictTokens = request.app.state.verdict_tokens
    return page(
        request,
        "verdict.html",
        view=verdict_view(verdict, reading_of(request).language, name=file.name),
        pictures=pictures,
        again=False,
        token=tokens.issue(CarriedVerdict(verdict=verdict, name=file.name), now),
    )
