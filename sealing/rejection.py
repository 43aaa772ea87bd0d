"""How an application ends without a decision of the rules: the principal rejects it, or the applicant withdraws it.

Either is an entry with the reason, and for good: whoever still wants the seal applies again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from ledger.entry import Draft
from registry.records import Person
from sealing import applications
from sealing.approval_cases import capacity
from sealing.errors import ConflictError, NotAllowedError, OrderError
from sealing.workshop import Workshop

Ending = Literal["rejected", "withdrawn"]
KINDS: Final[dict[Ending, str]] = {"rejected": "application.rejected", "withdrawn": "application.withdrawn"}
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One application, ended by a person."""

    application: str
    state: Ending
    entry: int


def reject(shop: Workshop, application: str, *, person: str, reason: str, now: datetime) -> Ended:
    """A principal of the grantee sends the application back.

    Raises ``NotAllowedError`` ``not-a-principal``, ``OrderError`` ``reason-missing``, ``ConflictError``
    ``application-not-waiting``.
    """
    return _end(shop, application, "rejected", person=person, reason=reason, now=now)


def withdraw(shop: Workshop, application: str, *, person: str, reason: str, now: datetime) -> Ended:
    """The applicant takes the application back. Raises as :func:`reject`, and ``not-the-applicant``."""
    return _end(shop, application, "withdrawn", person=person, reason=reason, now=now)


def _end(shop: Workshop, application: str, state: Ending, *, person: str, reason: str, now: datetime) -> Ended:
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise OrderError(
            "reason-missing",
            f"请写明理由（1 至 {LONGEST_REASON} 字）",
            f"a reason of 1 to {LONGEST_REASON} characters is expected",
        )
    with shop.database.write() as connection:
        found = applications.get(connection, application, lock=True)
        if state == "rejected":
            capacity(connection, shop, person, found.organ, now)
        elif found.order.applicant != person:
            raise NotAllowedError(
                "not-the-applicant",
                f"申请 {application} 不是您提出的",
                f"application {application} was not made by you",
            )
        if found.state != "waiting" or found.approval is not None:
            raise ConflictError(
                "application-not-waiting",
                f"申请 {application} 已批准或已办结（{found.state}），不能再退回或撤回",
                f"application {application} is approved or has ended ({found.state}) and cannot be sent back",
            )
        name = shop.registry.get(connection, Person, person).record.name
        draft = Draft(
            kind=KINDS[state],
            subjects=(application,),
            groups={
                "application": {"application": application, "client": found.client},
                "document": {"source_digest": found.document},
                "ending": {"reason": reason.strip(), "person": person, "person_name": name},
            },
        )
        entry = shop.book.append(connection, draft, now)
        applications.end(connection, application, state=state, entry=entry.index, impression=None)
    return Ended(application=application, state=state, entry=entry.index)
