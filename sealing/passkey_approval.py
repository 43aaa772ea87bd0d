"""A principal approves a case with a passkey: what is shown is fixed, then signed, then attached to every document.

1. :func:`begin`: the statement is made from what waits now, and kept under a handle (`sealing.pending_statements`).
2. The person's authenticator signs its digest, on the approval pages, which sign nobody in.
3. :func:`finish`: the signature is checked as everybody else will check it, and attached in one commit to every
   application of the case; if one of them no longer waits, or is no longer what was shown, to none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ledger.entry import Draft
from registry.approval import TYP, ApprovalClaims, read_statement
from registry.keys import person_keys
from registry.passkeys import Assertion
from registry.record import read
from registry.records import Person
from sealing import applications, pending_statements
from sealing.approval_cases import ApprovalCase, capacity, claims_of, waiting_case
from sealing.errors import ConflictError, NotAllowedError
from sealing.pending_statements import PendingStatement
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an authenticator is asked to sign. ``handle`` is known to the person's browser only."""

    handle: str
    claims: ApprovalClaims
    challenge: bytes


def begin(
    shop: Workshop, application: str, *, person: str, organ: str, confirms: Sequence[str], now: datetime
) -> Asked:
    """Fix what ``person`` is asked to sign for the case of ``application`` (its id).

    Raises ``NotAllowedError`` ``not-a-principal``, ``no-approval-passkey``, ``approvals-held`` or
    ``approving-own-application``, ``ConflictError`` ``application-not-waiting``, and what
    :func:`sealing.approval_cases.claims_of` raises.
    """
    with shop.database.write() as connection:
        case = waiting_case(connection, organ, application)
        role = capacity(connection, shop, person, organ, now)
        _check_not_own(connection, shop, case, person)
        pending_statements.check_can_sign(connection, shop, person, now)
        claims = claims_of(connection, shop, case, role, confirms=confirms, now=now)
        statement = PendingStatement(
            person=person,
            typ=TYP,
            payload=claims.model_dump(mode="json", by_alias=True),
            about=tuple(each.id for each in case.applications),
        )
        handle = pending_statements.keep(connection, statement, now)
    return Asked(handle=handle, claims=claims, challenge=statement.challenge)


def finish(
    shop: Workshop, statement: PendingStatement, *, credential: str, assertion: Assertion, now: datetime
) -> tuple[str, ...]:
    """Check the signature and attach the approval; the ids of the applications that have it now.

    ``statement`` was taken, so that it serves once. Raises as :func:`sealing.pending_statements.sign`,
    ``NotAllowedError`` ``not-a-principal``, ``ApprovalEvidenceError``, ``ConflictError`` ``application-not-waiting``.
    """
    claims = read(ApprovalClaims, dict(statement.payload))
    with shop.database.write() as connection:
        signed = pending_statements.sign(
            connection, shop, statement, credential=credential, assertion=assertion, now=now
        )
        read_statement(signed, person_keys(shop.registry, connection), audience=shop.identity.origin)
        capacity(connection, shop, statement.person, claims.grantee, now)
        for application in statement.about:
            _attach(connection, shop, application, claims, signed, now)
    return statement.about


def _attach(
    connection: Connection, shop: Workshop, application: str, claims: ApprovalClaims, statement: str, now: datetime
) -> None:
    found = applications.get(connection, application, lock=True)
    listed = any(line.digest == found.document for line in claims.manifest)
    if not listed or found.approval is not None or not applications.attach_approval(connection, application, statement):
        raise ConflictError(
            "application-not-waiting",
            f"申请 {application} 已被办理、撤回或退回，本次批准未记录",
            f"application {application} was decided, withdrawn or rejected meanwhile; this approval was not recorded",
        )
    applications.refuse_if_ended(connection, shop.book, application)
    draft = Draft(
        kind="approval.brought",
        subjects=(application,),
        groups={
            "application": {"application": application, "client": found.client, "address": None},
            "approval": {"jws": statement},
        },
    )
    shop.book.append(connection, draft, now)


def _check_not_own(connection: Connection, shop: Workshop, case: ApprovalCase, person: str) -> None:
    """Told before anybody signs; the rule ``two_persons`` decides."""
    humans = [
        shop.registry.get(connection, Person, each).record.natural_person
        for each in (person, case.first.order.applicant)
    ]
    if humans[0] == humans[1]:
        raise NotAllowedError(
            "approving-own-application",
            "申请人与批准人须为不同的自然人；您不能批准自己的申请",
            "applicant and approver must be different humans; you cannot approve your own application",
        )
