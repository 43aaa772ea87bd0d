"""The usage register 台账, and uses of the physical twin that belong into it."""

from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import files
from api.bodies import Answer, Limit, Moment, Page, Reasoned
from api.callers import ApprovalSystem, Insider
from api.negotiation import CSV, JSON, XLSX, preferred
from api.openapi import Sentence
from api.outcomes import shown_findings
from api.service import Serving
from registry.fields import RecordId
from registry.sheets import write_csv, write_xlsx
from sealing.order import Order
from sealing.paper_use import PaperUse, paper_use
from sealing.usage_register import Line, Period, lines, table

router: Final = APIRouter(prefix="/v1", tags=["register"])
_FORMS: Final = (JSON, CSV, XLSX)


class PaperUseBody(Reasoned):
    """One use of the physical seal, as the order would have been. ``approver`` is the person who signed on paper."""

    order: Order
    used_at: Moment
    approver: RecordId | None = None


class PaperUseAnswer(Answer):
    """The entry of a paper use; the findings inform and do not block."""

    id: str
    entry: int
    findings: list[Sentence]


@router.get(
    "/register",
    operation_id="readRegister",
    response_model=Page[Line],
    responses={200: {"content": {CSV: {}, XLSX: {}}}},
)
def read_register(
    request: Request,
    service: Serving,
    caller: Insider,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=-1)] = -1,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    case_number: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Seal uses, refusals and paper uses [000 二(三)]: JSON by pages, CSV and XLSX whole from ``after`` on."""
    form = preferred(request.headers.get("accept"), _FORMS)
    period = Period(
        organs=None if caller.sees_all else caller.organs,
        after=after,
        since=since,
        until=until,
        case_number=case_number,
    )
    with service.shop.database.read() as connection:
        found = lines(connection, service.shop, period)
        if form == JSON:
            shown = list(islice(found, limit))
            following = str(shown[-1].entry) if len(shown) == limit else None
            return JSONResponse(Page(entries=shown, next=following).model_dump(mode="json"))
        rows = table(found)
    if form == CSV:
        return files.file_of(write_csv(rows), name="register.csv", media_type=CSV)
    return files.file_of(write_xlsx(rows, service.now()), name="register.xlsx", media_type=XLSX)


@router.post("/paper-uses", operation_id="recordPaperUse", status_code=201)
def record_paper_use(service: Serving, caller: ApprovalSystem, body: PaperUseBody) -> PaperUseAnswer:
    """Record that the physical seal was used, so that the register is complete."""
    use = PaperUse(order=body.order, used_at=body.used_at, reason=body.reason, approver=body.approver)
    recorded = paper_use(service.shop, use, caller, service.now())
    return PaperUseAnswer(
        id=recorded.id,
        entry=recorded.entry,
        findings=[Sentence.model_validate(finding) for finding in shown_findings(recorded.findings)],
    )
