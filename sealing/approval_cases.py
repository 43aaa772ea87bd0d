"""What waits for a principal: the applications of one case together, and the statement that would approve them all.

[000 二(二)] The principal agrees to each document; so every document of the case is one line of the manifest, and what
all lines share (seal, item, facts, applicant) stands once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from ledger.canonical import canonical
from ledger.ids import new_id
from ledger.moments import to_text
from policies.roles import PRINCIPALS
from registry.approval import ApprovalClaims
from registry.record import read
from registry.records import RoleAssignment
from sealing.applications import Application
from sealing.errors import ConflictError, NotAllowedError
from sealing.parts import seal_parts
from sealing.tables import applications
from sealing.workshop import Workshop

LONGEST: Final = timedelta(days=30)
"""How long a statement may say that it holds; the agreement's working days end it sooner."""
MOST_DOCUMENTS: Final = 20

_waiting = (
    select(applications)
    .where(
        applications.c.organ == bindparam("organ"),
        applications.c.state == "waiting",
        applications.c.approval.is_(None),
    )
    .order_by(applications.c.received_at, applications.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalCase:
    """Applications that one statement can approve, oldest first."""

    applications: tuple[Application, ...]

    @property
    def first(self) -> Application:
        """The oldest, by whose id the case is addressed."""
        return self.applications[0]


def waiting_cases(connection: Connection, organ: str) -> list[ApprovalCase]:
    """All that waits for a principal of ``organ``, oldest first."""
    found: dict[bytes, list[Application]] = {}
    for row in connection.execute(_waiting, {"organ": organ}).mappings():
        application = Application.of(row)
        found.setdefault(_shared(application), []).append(application)
    return [ApprovalCase(applications=tuple(each[:MOST_DOCUMENTS])) for each in found.values()]


def waiting_case(connection: Connection, organ: str, application: str) -> ApprovalCase:
    """The case that ``application`` belongs to. Raises :class:`ConflictError` when it does not wait any more."""
    for case in waiting_cases(connection, organ):
        if any(each.id == application for each in case.applications):
            return case
    raise ConflictError(
        "application-not-waiting",
        f"申请 {application} 已不在待批准之列（已办结、已撤回或已退回）",
        f"application {application} waits for no approval any more: it has ended, or was withdrawn or rejected",
    )


def capacity(connection: Connection, shop: Workshop, person: str, organ: str, now: datetime) -> RoleAssignment:
    """The role by which ``person`` may approve for ``organ`` now: principal, acting principal, or deputy.

    Raises :class:`NotAllowedError` ``not-a-principal``.
    """
    held = [
        each.record
        for each in shop.registry.find(connection, RoleAssignment, person=person, organ=organ)
        if each.record.role in PRINCIPALS
        and each.record.valid_from <= now
        and (each.record.valid_until is None or now < each.record.valid_until)
    ]
    if not held:
        raise NotAllowedError(
            "not-a-principal",
            f"{person} 现在不是单位 {organ} 的主要负责人、主持工作者或受托人，不能批准",
            f"{person} is no principal, acting principal or deputy of organ {organ} now and cannot approve",
        )
    return min(held, key=lambda role: PRINCIPALS.index(role.role))


def claims_of(
    connection: Connection,
    shop: Workshop,
    case: ApprovalCase,
    role: RoleAssignment,
    *,
    confirms: Sequence[str],
    now: datetime,
) -> ApprovalClaims:
    """What the holder of ``role`` would sign for all documents of ``case``.

    Raises :class:`ConflictError` ``seal-unknown`` when the seal is not registered, ``RecordInvalidError`` for an order
    that no approval can name, e.g. without a document number; ``signer.errors.PlacementError``.
    """
    order = case.first.order
    parts = seal_parts(connection, shop.registry, order.seal)
    if parts is None:
        raise ConflictError("seal-unknown", f"没有可用的印章 {order.seal}", f"there is no usable seal {order.seal}")
    agreement = parts.agreement.record
    claims: dict[str, Any] = {
        "v": 1,
        "id": new_id("apr"),
        "aud": shop.identity.origin,
        "not_before": to_text(now),
        "expires": to_text(now + LONGEST),
        "grantee": order.organ,
        "seal": order.seal,
        "agreement": agreement.terms.number,
        "agreement_version": agreement.current.number,
        "item": {"list": order.item.list, "number": order.item.number},
        "case_number": order.case_number,
        "basis": order.basis,
        "predecessor": order.predecessor,
        "facts": dict(order.facts),
        "final": order.final,
        "applicant": order.applicant,
        "principal": role.person,
        "on_behalf_of": role.on_behalf_of if role.role == "deputy" else None,
        "manifest": [_line(each) for each in case.applications],
        "confirms": list(confirms),
    }
    return read(ApprovalClaims, claims)


def _line(application: Application) -> dict[str, Any]:
    order = application.order
    return {
        "digest": application.document,
        "kind": order.document_kind,
        "copy": order.copy_,
        "document_number": order.document_number,
        "licence_number": order.licence_number,
        "placement": order.placement_text(),
    }


def _shared(application: Application) -> bytes:
    """What all lines of a statement share, with who brought it."""
    order = application.order
    shared = ("seal", "item", "case_number", "basis", "predecessor", "facts", "final", "applicant")
    told = order.to_json()
    return canonical({"client": application.client, **{name: told[name] for name in shared}})
