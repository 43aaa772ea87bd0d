"""Impressions: what was sealed, the sealed file, its receipt, and the present status of the document."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import files
from api.bodies import Answer, Day, Id, Limit, Page, Reasoned
from api.callers import Grantor, Insider, Requester, act_of, hidden
from api.outcomes import address, document, newest_digest
from api.service import Service, Serving
from registry.document_status import DocumentStatus, Status, StatusChange
from registry.fields import Name
from sealing import impressions
from sealing.administration.document_status import StatusRequest, set_status, status_of
from sealing.impressions import Impression, Selection
from sealing.receipts import receipt
from verify.receipt import MEDIA_TYPE

router: Final = APIRouter(prefix="/v1/impressions", tags=["impressions"])


class ImpressionAnswer(Answer):
    """One seal on one PDF."""

    id: str
    application: str
    entry: int
    seal: str
    grantor: str
    grantee: str
    case_number: str
    source_digest: str
    sealed_digest: str
    document: str
    receipt: str

    @classmethod
    def of(cls, found: Impression) -> "ImpressionAnswer":
        """Show an impression."""
        here = address(found)
        return cls(
            id=found.id,
            application=found.application,
            entry=found.entry,
            seal=found.seal,
            grantor=found.grantor,
            grantee=found.grantee,
            case_number=found.case_number,
            source_digest=found.source_digest,
            sealed_digest=found.sealed_digest,
            document=f"{here}/document",
            receipt=f"{here}/receipt",
        )


class StatusAnswer(Answer):
    """The present status of a sealed document, and how it came about, oldest first."""

    impression: str
    status: Status
    changes: list[StatusChange]


class StatusBody(Reasoned):
    """A change of status by the grantor; ``document`` names the decision, or what takes its place."""

    status: Status
    effective: Day
    document: Name | None = None


@router.get("", operation_id="listImpressions")
def list_impressions(
    service: Serving,
    caller: Insider,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=-1)] = -1,
    seal: Annotated[str | None, Query(max_length=60)] = None,
    case_number: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[ImpressionAnswer]:
    """Impressions in the order of the record; those of the caller's organs, or all for an auditor."""
    selection = Selection(
        organs=None if caller.sees_all else caller.organs, after=after, limit=limit, seal=seal, case_number=case_number
    )
    with service.shop.database.read() as connection:
        book = service.shop.book
        found = [impressions.check(connection, book, each) for each in impressions.listed(connection, selection)]
    shown = [ImpressionAnswer.of(each) for each in found if caller.sees(grantor=each.grantor, grantee=each.grantee)]
    return Page(entries=shown, next=str(found[-1].entry) if len(found) == limit else None)


@router.get("/{impression_id}", operation_id="readImpression")
def read_impression(service: Serving, impression_id: Id, caller: Insider) -> ImpressionAnswer:
    """One impression."""
    return ImpressionAnswer.of(_visible(service, impression_id, caller))


@router.get("/{impression_id}/document", operation_id="downloadDocument", response_class=Response)
def download_document(request: Request, service: Serving, impression_id: Id, caller: Insider) -> Response:
    """The sealed PDF, as it was last renewed. Its ETag is its digest; ranges are served."""
    found = _visible(service, impression_id, caller)
    tag = f'"{newest_digest(service, found)}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return document(service, found)


@router.get("/{impression_id}/receipt", operation_id="downloadReceipt", response_class=Response)
def download_receipt(service: Serving, impression_id: Id, caller: Insider) -> Response:
    """The receipt: the ledger's evidence for the impression, to be kept beside the sealed PDF."""
    made = receipt(service.shop, _visible(service, impression_id, caller), service.now())
    return files.file_of(made.to_bytes(), name=f"{impression_id}.receipt.json", media_type=MEDIA_TYPE)


@router.get("/{impression_id}/status", operation_id="readStatus")
def read_status(service: Serving, impression_id: Id, caller: Insider) -> StatusAnswer:
    """The present status of the sealed document."""
    _visible(service, impression_id, caller)
    return _status(impression_id, status_of(service.shop, impression_id))


@router.put("/{impression_id}/status", operation_id="changeStatus")
def change_status(service: Serving, impression_id: Id, caller: Grantor, body: StatusBody) -> StatusAnswer:
    """Change the status of a sealed document. Only its grantor may; what was recorded stays."""
    found = _visible(service, impression_id, caller)
    if not caller.acts_for(found.grantor):
        raise hidden("impression", impression_id)
    act = act_of(caller, body.reason, service, organ=found.grantor)
    request = StatusRequest(status=body.status, effective=body.effective, document=body.document)
    return _status(impression_id, set_status(service.shop, impression_id, request, act).record)


def _visible(service: Service, impression_id: str, caller: Requester) -> Impression:
    """The impression, if its entry lets the caller know of it. Raises ``UnknownError``, ``RowTamperedError``."""
    with service.shop.database.read() as connection:
        found = impressions.checked(connection, service.shop.book, impression_id)
    if not caller.sees(grantor=found.grantor, grantee=found.grantee):
        raise hidden("impression", impression_id)
    return found


def _status(impression_id: str, record: DocumentStatus | None) -> StatusAnswer:
    if record is None:
        return StatusAnswer(impression=impression_id, status="in_force", changes=[])
    return StatusAnswer(impression=impression_id, status=record.status, changes=list(record.changes))
