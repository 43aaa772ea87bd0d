"""The two-step way in: an application is received and waits, its approval comes later, then it is sealed."""

from datetime import datetime
from pathlib import Path

from ledger.canonical import canonical
from ledger.entry import Draft
from ledger.ids import new_id
from sealing import applications
from sealing.applications import Application
from sealing.errors import ConflictError, NotAllowedError, OrderError
from sealing.order import Caller, Submission
from sealing.workshop import Workshop

LONGEST_APPROVAL = 64 * 1024


def receive(shop: Workshop, submission: Submission, caller: Caller, now: datetime) -> Application:
    """Keep the document and the order; the application waits for its approval.

    A repeated idempotency key gives the same application. Raises :class:`NotAllowedError` for an organ that is
    not the caller's, :class:`ConflictError` for the same key with another request.
    """
    _check_organ(submission.order.organ, caller)
    with shop.database.read() as connection:
        known = applications.find(connection, submission, caller.client)
    if known is not None:
        return known
    shop.documents.put(submission.source)
    order = submission.order.to_json()
    with shop.database.write() as connection:
        application = applications.create(
            connection,
            submission,
            caller.client,
            now,
            application=new_id("app"),
            canonical_order=canonical(order),
            state="waiting",
        )
        draft = Draft(
            kind="application.received",
            subjects=(application,),
            groups={
                "application": {"application": application, "client": caller.client, "address": caller.address},
                "order": order,
                "document": {"source_digest": submission.document},
            },
        )
        shop.book.append(connection, draft, now)
        return applications.get(connection, application)


def bring_approval(shop: Workshop, application: str, evidence: str, caller: Caller, now: datetime) -> Application:
    """Attach the approval statement (JWS compact) to a waiting application; it is judged when it is sealed.

    Raises :class:`OrderError` for something too long, :class:`ConflictError` when the application no longer waits.
    """
    if not 0 < len(evidence) <= LONGEST_APPROVAL:
        raise OrderError(
            "approval-too-long",
            f"批准声明长 {len(evidence)} 字符，应为 1 至 {LONGEST_APPROVAL}",
            f"the approval statement has {len(evidence)} characters, expected 1 to {LONGEST_APPROVAL}",
        )
    with shop.database.write() as connection:
        found = own(applications.get(connection, application, lock=True), caller)
        if not applications.attach_approval(connection, application, evidence):
            raise ConflictError(
                "application-not-waiting",
                f"申请 {application} 的状态为 {found.state}，不再接收批准",
                f"application {application} is {found.state} and takes no approval any more",
            )
        applications.refuse_if_ended(connection, shop.book, application)
        draft = Draft(
            kind="approval.brought",
            subjects=(application,),
            groups={
                "application": {"application": application, "client": caller.client, "address": caller.address},
                "approval": {"jws": evidence},
            },
        )
        shop.book.append(connection, draft, now)
        return applications.get(connection, application)


def waiting_submission(shop: Workshop, application: str, caller: Caller) -> Submission:
    """What the seal cycle needs of an application that was received before."""
    with shop.database.read() as connection:
        found = own(applications.get(connection, application), caller)
    source: Path = shop.documents.read_path(found.document)
    return Submission(
        order=found.order,
        idempotency_key=found.idempotency_key,
        source=source,
        document=found.document,
        approval=found.approval,
    )


def own(application: Application, caller: Caller) -> Application:
    """The application, if it is this client's for an organ it still acts for.

    Raises :class:`NotAllowedError` otherwise; over HTTP that reads as if it did not exist.
    """
    if application.client != caller.client:
        raise NotAllowedError(
            "not-your-application",
            f"申请 {application.id} 不是本系统提交的",
            f"application {application.id} is another client's",
        )
    _check_organ(application.organ, caller)
    return application


def _check_organ(organ: str, caller: Caller) -> None:
    if organ not in caller.organs:
        raise NotAllowedError(
            "not-your-organ",
            f"本系统无权代表单位 {organ} 办理；可代表：{'、'.join(caller.organs)}",
            f"this client may not act for organ {organ}; it may for {', '.join(caller.organs)}",
        )
