"""What waits for a principal: the list, oldest first; one case with its pages; and the way to the approval pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.service import Service, Serving
from policies.facts import ItemKey
from registry.records import Person
from sealing.account_desk import approval_place
from sealing.approval_cases import ApprovalCase, waiting_case, waiting_cases
from sealing.choices import item_name
from sealing.errors import ConflictError
from sealing.foresight import Foresight, foresee
from sealing.order import Caller, Submission
from sealing.passkey_approval import begin
from sealing.rejection import reject
from web.console.entrance import APPROVERS, Present, entrance
from web.console.forms import Fields, require_token
from web.console.shown_pages import ShownDocument, shown
from web.reading import reading_of
from web.templates import page, policy_with

router: Final = APIRouter(prefix="/console/approvals", include_in_schema=False)
Principal = Annotated[Present, entrance(*APPROVERS)]
CONFIRM: Final = "confirm."
"""Before the name of a value that the principal confirms by eye."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One document of a case as the principal sees it."""

    application: Any
    foresight: Foresight
    document: ShownDocument


@router.get("", operation_id="showApprovals")
def show_approvals(request: Request, service: Serving, present: Principal) -> Response:
    """What waits, oldest first."""
    with service.shop.database.read() as connection:
        cases = [
            (case, _name(service, connection, case.first.order.applicant))
            for organ in present.organs(*APPROVERS)
            for case in waiting_cases(connection, organ)
        ]
    return page(request, "console/approvals.html", present=present, cases=cases, done=request.query_params.get("done"))


@router.get("/{application_id}", operation_id="showApprovalCase")
def show_approval_case(request: Request, service: Serving, present: Principal, application_id: str) -> Response:
    """All documents of the case, page by page, from exactly the bytes that would be sealed."""
    case = _case(service, present, application_id)
    documents = [_shown(service, each) for each in case.applications]
    with service.shop.database.read() as connection:
        applicant = _name(service, connection, case.first.order.applicant)
        key = ItemKey(list=case.first.order.item.list, number=case.first.order.item.number)
        item = item_name(connection, service.shop, key, service.now())
    place = approval_place(service.shop.settings)
    return page(
        request,
        "console/approval.html",
        headers=policy_with(f"form-action 'self' {place.origin}"),
        present=present,
        case=case,
        shown=documents,
        applicant=applicant,
        item=item,
        to_confirm=list(dict.fromkeys(name for each in documents for name in each.foresight.to_confirm)),
    )


@router.post("/{application_id}/begin", operation_id="beginApproval")
def begin_approval(
    request: Request, service: Serving, fields: Fields, present: Principal, application_id: str
) -> Response:
    """Fix what is to be approved and go to the approval pages, where the passkey signs it."""
    require_token(present, fields.get("csrf", ""))
    case = _case(service, present, application_id)
    _check_unchanged(case, fields)
    asked = begin(
        service.shop,
        application_id,
        person=present.person.id,
        organ=case.first.organ,
        confirms=[name.removeprefix(CONFIRM) for name in fields if name.startswith(CONFIRM)],
        now=service.now(),
    )
    place = approval_place(service.shop.settings)
    query = urlencode({"handle": asked.handle, "lang": reading_of(request).language})
    return RedirectResponse(f"{place.origin}/approve?{query}", 303)


@router.post("/{application_id}/reject", operation_id="rejectApplication")
def reject_application(
    request: Request, service: Serving, fields: Fields, present: Principal, application_id: str
) -> Response:
    """Send every document of the case back, with a reason."""
    require_token(present, fields.get("csrf", ""))
    case = _case(service, present, application_id)
    for each in case.applications:
        reject(service.shop, each.id, person=present.person.id, reason=fields.get("reason", ""), now=service.now())
    return RedirectResponse(reading_of(request).link("/console/approvals"), 303)


def _case(service: Service, present: Present, application_id: str) -> ApprovalCase:
    """The case, if it waits at one of the organs for which the person may approve."""
    with service.shop.database.read() as connection:
        for organ in present.organs(*APPROVERS):
            try:
                return waiting_case(connection, organ, application_id)
            except ConflictError:
                continue
    raise ConflictError(
        "application-not-waiting",
        f"申请 {application_id} 已不在待批准之列（已办结、已撤回或已退回），或不属于您的单位",
        f"application {application_id} waits for no approval of yours: it ended, was withdrawn, or is another organ's",
    )


def _check_unchanged(case: ApprovalCase, fields: Mapping[str, str]) -> None:
    """Raise :class:`ConflictError` ``case-changed`` unless the page showed the documents that wait now."""
    if fields.get("documents", "") != " ".join(each.document for each in case.applications):
        raise ConflictError(
            "case-changed",
            "打开页面后，此案的文书有增减或变化；请重新打开并核对后再批准",
            "documents of this case were added or replaced since the page was opened; open it again and look once more",
        )


def _shown(service: Service, application: Any) -> Shown:  # noqa: ANN401  sealing.applications.Application
    path = service.shop.documents.read_path(application.document)
    submission = Submission(
        order=application.order,
        idempotency_key=application.idempotency_key,
        source=path,
        document=application.document,
        approval=None,
    )
    caller = Caller(client=application.client, organs=(application.organ,), roles=("approval_system",))
    return Shown(
        application=application,
        foresight=foresee(service.shop, submission, caller, service.now()),
        document=shown(service, application.document, application.order),
    )


def _name(service: Service, connection: Any, person: str) -> str:  # noqa: ANN401  a connection
    found = service.shop.registry.look(connection, Person, person)
    return person if found is None else found.record.name
