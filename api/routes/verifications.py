"""``POST /v1/verifications``: anyone may ask what a sealed PDF is worth. A worker judges the file; it is not kept."""

from base64 import b64encode
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends

from api.callers import PUBLIC
from api.openapi import multipart
from api.service import Service, Serving
from api.uploads import Parts, Upload
from ledger.moments import to_text
from sealing import impressions, revocation
from verify.receipt import GROUPS, Receipt

router: Final = APIRouter(prefix="/v1", tags=["verification"])
_BODY: Final = multipart(
    "document", receipt={"type": "object", "default": None, "description": "the receipt as it was downloaded"}
)
_SHOWN: Final = tuple(group for group in GROUPS if group != "persons")
"""What the holder of a sealed file may learn from the record without a receipt: no names of persons."""
_BYTES_A_SECOND: Final = 10_000_000
VerificationParts = Annotated[Upload, Depends(Parts("document", optional=("receipt",)))]


@router.post(
    "/verifications", operation_id="verifyDocument", dependencies=[PUBLIC], openapi_extra=_BODY, response_model=None
)
def verify_document(service: Serving, upload: VerificationParts) -> dict[str, Any]:
    """The verdict (EN 319 102-1): TOTAL_PASSED, INDETERMINATE or TOTAL_FAILED, with findings for each signature."""
    shop, now = service.shop, service.now()
    given = upload.fields.get("receipt")
    arguments = {
        "document": str(upload.file.path.absolute()),
        "receipt": None if given is None else Receipt.from_bytes(given).to_json(),
        "roots": [shop.installation.root],
        "logs": [shop.identity.vkey],
        "crls": [b64encode(each).decode() for each in (revocation.crl(shop, now), revocation.root_crl(shop, now))],
        "now": to_text(now),
        "log_answers": _log_answers(service, upload.file.digest),
    }
    seconds = shop.settings.sandbox_seconds * max(1.0, upload.file.length / _BYTES_A_SECOND)
    verdict: dict[str, Any] = service.verifying.run(
        lambda: shop.workers.call("verify.desk:judge_document", arguments, seconds=seconds)
    )
    return verdict


def _log_answers(service: Service, digest: str) -> dict[str, dict[str, Any]]:
    """What our own log says of the file as a whole; of a file it does not know by its digest it says nothing."""
    with service.shop.database.read() as connection:
        found = impressions.of_file(connection, digest)
    if found is None:
        return {}
    evidence = service.shop.book.evidence(found.entry, _SHOWN, service.now())
    return {digest: {"state": "found", "receipt": Receipt(impression=found.id, evidence=evidence).to_json()}}
