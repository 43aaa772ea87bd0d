"""The two-step way in: an application waits for its approval, then it is sealed."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.bodies import Answer, Body, Id, IdempotencyKey
from api.callers import ApprovalSystem, Insider, Requester, hidden
from api.negotiation import preferred
from api.openapi import Sentence, multipart, reference
from api.outcomes import SealedAnswer, read_order, seal, sealed_answer, shown_findings
from api.routes.seal_uses import FORMS, SEALED
from api.service import Service, Serving
from api.uploads import Parts, Upload
from registry.records import Seal
from sealing import applications
from sealing.applications import Application
from sealing.order import Order, Submission
from sealing.reception import LONGEST_APPROVAL, bring_approval, receive, waiting_submission

router: Final = APIRouter(prefix="/v1/applications", tags=["sealing"])
_BODY: Final = multipart("document", order=reference(Order))
ApplicationParts = Annotated[Upload, Depends(Parts("document", required=("order",)))]


class ApplicationAnswer(Answer):
    """An application as it stands. ``findings`` is what was found when it was judged."""

    id: str
    state: str
    organ: str
    document: str
    approved: bool
    order: dict[str, Any]
    entry: int | None
    impression: str | None
    findings: list[Sentence]


class ApprovalBody(Body):
    """The approval statement."""

    approval: Annotated[str, Field(min_length=1, max_length=LONGEST_APPROVAL, description="JWS compact, ES256")]


@router.post("", operation_id="receiveApplication", status_code=201, openapi_extra=_BODY)
def receive_application(
    response: Response,
    service: Serving,
    key: IdempotencyKey,
    caller: ApprovalSystem,
    upload: ApplicationParts,
) -> ApplicationAnswer:
    """Keep a document and its order until the approval comes. The same key again gives the same application."""
    submission = Submission(
        order=read_order(upload.fields["order"]),
        idempotency_key=key,
        source=upload.file.path,
        document=upload.file.digest,
        approval=None,
    )
    application = receive(service.shop, submission, caller, service.now())
    response.headers["Location"] = f"/v1/applications/{application.id}"
    return _shown(service, application)


@router.get("/{application_id}", operation_id="readApplication")
def read_application(service: Serving, application_id: Id, caller: Insider) -> ApplicationAnswer:
    """Where an application stands."""
    application, inside = _visible(service, application_id, caller)
    return _shown(service, application, inside=inside)


@router.post("/{application_id}/approval", operation_id="bringApproval")
def attach_approval(
    service: Serving, application_id: Id, caller: ApprovalSystem, body: ApprovalBody
) -> ApplicationAnswer:
    """Bring the principal's approval; it is judged when the document is sealed."""
    _own(service, application_id, caller)
    return _shown(service, bring_approval(service.shop, application_id, body.approval, caller, service.now()))


@router.post(
    "/{application_id}/impression",
    operation_id="sealApplication",
    status_code=201,
    response_model=SealedAnswer,
    responses=SEALED,
)
def seal_application(request: Request, service: Serving, application_id: Id, caller: ApprovalSystem) -> Response:
    """Seal the document of an application. Its own idempotency key holds: a repeat gives the same answer."""
    form = preferred(request.headers.get("accept"), FORMS)
    _own(service, application_id, caller)
    submission = waiting_submission(service.shop, application_id, caller)
    return sealed_answer(service, seal(service, submission, caller, application=application_id), form)


def _shown(service: Service, application: Application, *, inside: bool = False) -> ApplicationAnswer:
    with service.shop.database.read() as connection:
        findings = service.shop.findings_of(connection, application.entry)
    return ApplicationAnswer(
        id=application.id,
        state=application.state,
        organ=application.organ,
        document=application.document,
        approved=application.approval is not None,
        order=application.order.to_json(),
        entry=application.entry,
        impression=application.impression,
        findings=[Sentence.model_validate(finding) for finding in shown_findings(findings, inside=inside)],
    )


def _own(service: Service, application_id: str, caller: Requester) -> Application:
    """The caller's own application; another's reads as if it did not exist."""
    with service.shop.database.read() as connection:
        application = applications.get(connection, application_id)
    if not _is_own(application, caller):
        raise hidden("application", application_id)
    return application


def _is_own(application: Application, caller: Requester) -> bool:
    return application.client == caller.client and caller.acts_for(application.organ)


def _visible(service: Service, application_id: str, caller: Requester) -> tuple[Application, bool]:
    """An application that the caller may see, and whether as one who may see everything about its seal."""
    with service.shop.database.read() as connection:
        application = applications.get(connection, application_id)
        seal_record = service.shop.registry.look(connection, Seal, application.order.seal)
    owner = "" if seal_record is None else seal_record.record.owner
    inside = caller.sees_all or ("grantor_administrator" in caller.roles and caller.acts_for(owner))
    if inside or ("approval_system" in caller.roles and _is_own(application, caller)):
        return application, inside
    raise hidden("application", application_id)
