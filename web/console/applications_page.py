"""What a seal user has applied for: where it stands, what the rules said, the sealed document and its receipt."""

from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import files, outcomes
from api.service import Service, Serving
from ledger.canonical import canonical
from policies.facts import ItemKey
from sealing import applications, impressions
from sealing.application_list import APPLICATIONS_A_PAGE, listed
from sealing.applications import Application
from sealing.choices import item_name
from sealing.errors import UnknownError
from sealing.impressions import Impression
from sealing.receipts import receipt
from sealing.rejection import withdraw
from web.console.entrance import APPROVERS, Present, entrance
from web.console.forms import Fields, require_token
from web.reading import reading_of
from web.templates import page

router: Final = APIRouter(prefix="/console/applications", include_in_schema=False)
Grantee = Annotated[Present, entrance("seal_user", *APPROVERS, "custodian")]


@router.get("", operation_id="showApplications")
def show_applications(request: Request, service: Serving, present: Grantee) -> Response:
    """Those of the person's organs, the newest first."""
    before = request.query_params.get("before", "")
    with service.shop.database.read() as connection:
        found = listed(connection, present.organs("seal_user", *APPROVERS, "custodian"), before=before)
    more = found[-1].received_at if len(found) == APPLICATIONS_A_PAGE else None
    return page(request, "console/applications.html", present=present, found=found, more=more)


@router.get("/{application_id}", operation_id="showApplication")
def show_application(request: Request, service: Serving, present: Grantee, application_id: str) -> Response:
    """One application."""
    found = _visible(service, present, application_id)
    with service.shop.database.read() as connection:
        findings = service.shop.findings_of(connection, found.entry) if found.state in {"sealed", "refused"} else []
        ending = _ending(service, connection, found)
        key = ItemKey(list=found.order.item.list, number=found.order.item.number)
        item = item_name(connection, service.shop, key, service.now())
    return page(
        request,
        "console/application.html",
        present=present,
        application=found,
        findings=findings,
        ending=ending,
        item=item,
        own_application=found.order.applicant == present.person.id,
    )


@router.post("/{application_id}/withdraw", operation_id="withdrawApplication")
def withdraw_application(
    request: Request, service: Serving, fields: Fields, present: Grantee, application_id: str
) -> Response:
    """Take one's own application back, with a reason."""
    require_token(present, fields.get("csrf", ""))
    _visible(service, present, application_id)
    withdraw(service.shop, application_id, person=present.person.id, reason=fields.get("reason", ""), now=service.now())
    return RedirectResponse(reading_of(request).link(f"/console/applications/{application_id}"), 303)


@router.get("/{application_id}/document", operation_id="giveSealedDocument")
def give_sealed_document(service: Serving, present: Grantee, application_id: str) -> Response:
    """The sealed PDF."""
    return outcomes.document(service, _impression(service, present, application_id))


@router.get("/{application_id}/receipt", operation_id="giveReceipt")
def give_receipt(service: Serving, present: Grantee, application_id: str) -> Response:
    """The receipt, to be kept with the document."""
    impression = _impression(service, present, application_id)
    content = canonical(receipt(service.shop, impression, service.now()).to_json())
    return files.file_of(content, name=f"{impression.id}.json", media_type="application/json")


def _visible(service: Service, present: Present, application_id: str) -> Application:
    """An application of one of the person's organs; another's reads as if it did not exist."""
    with service.shop.database.read() as connection:
        found = applications.get(connection, application_id)
    if found.organ not in present.organs("seal_user", *APPROVERS, "custodian"):
        raise UnknownError("application-unknown", f"没有申请 {application_id}", f"no application {application_id}")
    return found


def _impression(service: Service, present: Present, application_id: str) -> Impression:
    found = _visible(service, present, application_id)
    if found.impression is None:
        raise UnknownError(
            "application-unsealed",
            f"申请 {application_id} 尚未盖章",
            f"application {application_id} is not sealed",
        )
    with service.shop.database.read() as connection:
        return impressions.checked(connection, service.shop.book, found.impression)


def _ending(service: Service, connection: Any, found: Application) -> Any:  # noqa: ANN401  JSON
    """Who ended it and why, where it was rejected or withdrawn."""
    if found.state not in {"rejected", "withdrawn"} or found.entry is None:
        return None
    opening = service.shop.book.entry(connection, found.entry).openings.get("ending")
    return opening.value if opening is not None and isinstance(opening.value, dict) else None
