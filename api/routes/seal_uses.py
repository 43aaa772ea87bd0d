"""``POST /v1/seals/{seal}/impressions``: one PDF in, one sealed PDF out, or every reason why not."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.bodies import Id, IdempotencyKey
from api.callers import ApprovalSystem
from api.errors import RequestError
from api.negotiation import JSON, PDF, preferred
from api.openapi import multipart, reference
from api.outcomes import SealedAnswer, read_order, seal, sealed_answer
from api.service import Serving
from api.uploads import Parts, Upload
from sealing.order import Order, Submission

router: Final = APIRouter(prefix="/v1", tags=["sealing"])
FORMS: Final = (JSON, PDF)
SEALED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "the same order was sealed before; the same answer", "model": SealedAnswer},
    201: {"description": "sealed; with Accept: application/pdf the sealed bytes", "content": {PDF: {}}},
}
_BODY: Final = multipart(
    "document",
    order=reference(Order),
    approval={"type": "string", "default": None, "description": "the approval statement, JWS compact"},
)
SealParts = Annotated[Upload, Depends(Parts("document", required=("order",), optional=("approval",)))]


@router.post(
    "/seals/{seal_id}/impressions",
    operation_id="sealDocument",
    status_code=201,
    response_model=SealedAnswer,
    responses=SEALED,
    openapi_extra=_BODY,
)
def seal_document(
    request: Request,
    service: Serving,
    seal_id: Id,
    key: IdempotencyKey,
    caller: ApprovalSystem,
    upload: SealParts,
) -> Response:
    """Seal a document at once. Committed when this answers; the same key again gives the same answer."""
    form = preferred(request.headers.get("accept"), FORMS)
    order = read_order(upload.fields["order"])
    if order.seal != seal_id:
        raise RequestError(
            "seal-differs",
            f"地址中的印章为 {seal_id}，申请中为 {order.seal}",
            f"the address names seal {seal_id}, the order {order.seal}",
        )
    submission = Submission(
        order=order,
        idempotency_key=key,
        source=upload.file.path,
        document=upload.file.digest,
        approval=upload.text("approval") or None,
    )
    return sealed_answer(service, seal(service, submission, caller), form)
