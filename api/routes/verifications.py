"""``POST /v1/verifications``: anyone may ask what a sealed PDF is worth. A worker judges the file; it is not kept.

The answer is our JSON, the validation report of ETSI TS 119 102-2, or a sealed page for people, as the caller accepts.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header
from starlette.responses import Response

from api.callers import PUBLIC
from api.files import file_of
from api.negotiation import JSON, PDF, XML, preferred, preferred_language
from api.openapi import multipart
from api.rate_limit import limited_rate
from api.service import Service, Serving
from api.uploads import Parts, Upload
from sealing.verification import judge_upload
from sealing.verification_report import make_report
from verify.etsi_report import to_xml
from verify.receipt import Receipt
from verify.report import Language

router: Final = APIRouter(prefix="/v1", tags=["verification"])
_BODY: Final = multipart(
    "document", receipt={"type": "object", "default": None, "description": "the receipt as it was downloaded"}
)
VerificationParts = Annotated[
    Upload, Depends(Parts("document", optional=("receipt",), most=lambda settings: settings.max_verification_bytes))
]
Accept = Annotated[str | None, Header(alias="Accept", include_in_schema=False)]
AcceptLanguage = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]


@router.post(
    "/verifications",
    operation_id="verifyDocument",
    dependencies=[PUBLIC, limited_rate("verification")],
    openapi_extra=_BODY,
    response_model=None,
    responses={200: {"content": {XML: {}, PDF: {}}}},
)
def verify_document(
    service: Serving, upload: VerificationParts, accept: Accept = None, accept_language: AcceptLanguage = None
) -> dict[str, Any] | Response:
    """The verdict (EN 319 102-1): TOTAL_PASSED, INDETERMINATE or TOTAL_FAILED, with findings for each signature.

    As JSON, as ``application/xml`` (ETSI TS 119 102-2) or as ``application/pdf`` (sealed; Accept-Language zh or en).
    """
    form, language = preferred(accept, (JSON, XML, PDF)), preferred_language(accept_language)
    given = upload.fields.get("receipt")
    receipt = None if given is None else Receipt.from_bytes(given)
    return service.verifying.run(lambda: _answer(service, upload, receipt, form=form, language=language))


def _answer(
    service: Service, upload: Upload, receipt: Receipt | None, *, form: str, language: Language
) -> dict[str, Any] | Response:
    now, file = service.now(), upload.file
    verdict = judge_upload(service.shop, file.path, length=file.length, receipt=receipt, now=now)
    if form == JSON:
        return verdict.to_json()
    stem = f"verification-{verdict.file_digest.removeprefix('sha256:')[:12]}"
    if form == XML:
        return file_of(to_xml(verdict), name=f"{stem}.xml", media_type=XML)
    report = make_report(service.shop, verdict, name=file.name, language=language, now=now)
    return file_of(report, name=f"{stem}.pdf", media_type=PDF)
