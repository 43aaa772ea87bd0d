"""``POST /v1/verifications``: anyone may ask what a sealed PDF is worth. A worker judges the file; it is not kept."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends

from api.callers import PUBLIC
from api.openapi import multipart
from api.rate_limit import limited_rate
from api.service import Serving
from api.uploads import Parts, Upload
from sealing.verification import judge_upload
from verify.receipt import Receipt

router: Final = APIRouter(prefix="/v1", tags=["verification"])
_BODY: Final = multipart(
    "document", receipt={"type": "object", "default": None, "description": "the receipt as it was downloaded"}
)
VerificationParts = Annotated[
    Upload, Depends(Parts("document", optional=("receipt",), most=lambda settings: settings.max_verification_bytes))
]


@router.post(
    "/verifications",
    operation_id="verifyDocument",
    dependencies=[PUBLIC, limited_rate("verification")],
    openapi_extra=_BODY,
    response_model=None,
)
def verify_document(service: Serving, upload: VerificationParts) -> dict[str, Any]:
    """The verdict (EN 319 102-1): TOTAL_PASSED, INDETERMINATE or TOTAL_FAILED, with findings for each signature."""
    now, file = service.now(), upload.file
    given = upload.fields.get("receipt")
    receipt = None if given is None else Receipt.from_bytes(given)
    return service.verifying.run(
        lambda: judge_upload(service.shop, file.path, length=file.length, receipt=receipt, now=now)
    ).to_json()
