"""``POST /v1/verifications``: anyone may ask what a sealed PDF is worth. A worker judges the file; it is not kept."""

from base64 import b64encode
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends

from api.callers import PUBLIC
from api.openapi import multipart
from api.rate_limit import limited_rate
from api.service import Service, Serving
from api.uploads import Parts, Upload
from ledger.moments import to_text
from sealing import revocation
from sealing.entries import signature_subject
from verify.ledger_evidence import ABANDONED, IMPRESSED
from verify.receipt import GROUPS, Receipt

router: Final = APIRouter(prefix="/v1", tags=["verification"])
_BODY: Final = multipart(
    "document", receipt={"type": "object", "default": None, "description": "the receipt as it was downloaded"}
)
_SHOWN: Final = tuple(group for group in GROUPS if group != "persons")
"""What the holder of a sealed file may learn from the record without a receipt: no names of persons."""
_BYTES_A_SECOND: Final = 10_000_000
_MOST_SIGNATURES: Final = 100
"""The log is asked about so many signatures of a file; one that has more is no document of ours."""
VerificationParts = Annotated[Upload, Depends(Parts("document", optional=("receipt",)))]


@router.post(
    "/verifications",
    operation_id="verifyDocument",
    dependencies=[PUBLIC, limited_rate("verification")],
    openapi_extra=_BODY,
    response_model=None,
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
    }
    seconds = shop.settings.sandbox_seconds * max(1.0, upload.file.length / _BYTES_A_SECOND)
    return service.verifying.run(lambda: _verdict(service, arguments, seconds))


def _verdict(service: Service, arguments: dict[str, Any], seconds: float) -> dict[str, Any]:
    """First which signatures there are, then what our log says of each, then the judgement with its answers."""
    call = service.shop.workers.call
    found = call("verify.desk:list_signatures", {"document": arguments["document"]}, seconds=seconds)
    answers = {digest: _log_answer(service, digest) for digest in found[:_MOST_SIGNATURES]}
    verdict: dict[str, Any] = call("verify.desk:judge_document", arguments | {"log_answers": answers}, seconds=seconds)
    return verdict


def _log_answer(service: Service, to_be_signed: str) -> dict[str, Any]:
    """What our own log says of a signature. One that is only intended has never left as a seal use: it is absent."""
    with service.shop.database.read() as connection:
        entry = service.shop.book.latest(connection, signature_subject(to_be_signed))
    if entry is None or entry.kind not in {IMPRESSED, ABANDONED}:
        return {"state": "absent"}
    if entry.kind == ABANDONED:
        return {"state": "abandoned"}
    evidence = service.shop.book.evidence(entry.index, _SHOWN, service.now())
    return {"state": "found", "receipt": Receipt(impression=entry.leaf.subjects[0], evidence=evidence).to_json()}
