"""The present status of a sealed document: only the grantor changes it, and its history only grows.

变更 撤销 撤回 注销 吊销 补证 have words of their own, because they differ in law (行政许可法 69, 70).
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from registry.errors import TransitionError
from registry.fields import Name, RecordId, Text, UtcTime
from registry.record import Part, Record, build, derived_id

Status = Literal["in_force", "amended", "annulled", "retracted", "cancelled", "revoked_as_penalty", "replaced"]

_NEXT: dict[Status, tuple[Status, ...]] = {
    "in_force": ("amended", "annulled", "retracted", "cancelled", "revoked_as_penalty", "replaced"),
    "amended": ("in_force", "annulled", "retracted", "cancelled", "revoked_as_penalty", "replaced"),
    # Back in force by administrative review or judgment; anything else would rewrite what happened.
    "annulled": ("in_force",),
    "retracted": ("in_force",),
    "cancelled": ("in_force",),
    "revoked_as_penalty": ("in_force",),
    "replaced": ("in_force",),
}


class StatusChange(Part):
    """One change: what, by whom, why, from which date on, and when it was recorded."""

    status: Status
    by: RecordId
    reason: Text
    effective: date
    document: Name | None  # the decision that changes the status, or the document that takes its place
    recorded: UtcTime


class DocumentStatus(Record):
    """All changes of the status of one impression, oldest first."""

    impression: RecordId
    changes: Annotated[tuple[StatusChange, ...], Field(min_length=1)]

    @property
    def status(self) -> Status:
        """The present status."""
        return self.changes[-1].status


def status_id(impression: str) -> str:
    """The id of the one status record of ``impression``; no record means ``in_force``."""
    return derived_id("sta", impression)


def change_status(present: DocumentStatus | None, change: StatusChange, *, impression: str) -> DocumentStatus:
    """The record after ``change``. Raises :class:`TransitionError` ``status-change-refused``."""
    found: Status = "in_force" if present is None else present.status
    if change.status not in _NEXT[found]:
        raise TransitionError(
            "status-change-refused",
            f"文书状态为 {found}，只能改为 {'、'.join(_NEXT[found])}，不能改为 {change.status}",
            f"the document is {found}; it can become {', '.join(_NEXT[found])}, not {change.status}",
        )
    changes = (*(() if present is None else present.changes), change)
    return build(DocumentStatus, id=status_id(impression), impression=impression, changes=changes)


def status_at(record: DocumentStatus | None, moment: datetime) -> Status:
    """The status as recorded at ``moment``, for a verdict about then."""
    known = [] if record is None else [each.status for each in record.changes if each.recorded <= moment]
    return known[-1] if known else "in_force"
