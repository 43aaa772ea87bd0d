"""The status of a sealed document 变更 撤销 撤回 注销 吊销 补证: only the grantor of that impression changes it."""

from dataclasses import dataclass
from datetime import date

from registry.document_status import status_id
from registry.record import build
from registry.records import DocumentStatus, StatusChange
from registry.store import Act, Stored
from sealing import impressions
from sealing.administration.acts import acting
from sealing.errors import NotAllowedError
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """The new status, the day it takes effect, and the decision or successor document behind it."""

    status: str
    effective: date
    document: str | None = None


def set_status(shop: Workshop, impression: str, request: StatusRequest, act: Act) -> Stored[DocumentStatus]:
    """Change the status of one sealed document; ``act.by.organ`` must be its grantor, ``act.why`` is the reason.

    Raises ``UnknownError``, :class:`NotAllowedError` ``not-the-grantor``, ``TransitionError``.
    """
    with acting(shop, act) as changes:
        found = impressions.checked(changes.connection, shop.book, impression)
        if act.by.organ != found.grantor:
            raise NotAllowedError(
                "not-the-grantor",
                f"只有授权（委托）单位 {found.grantor} 可以改变该文书的状态，实为 {act.by.organ}",
                f"only the grantor {found.grantor} changes this document's status, found {act.by.organ}",
            )
        change = build(
            StatusChange,
            status=request.status,
            by=act.by.id,
            reason=act.why,
            effective=request.effective,
            document=request.document,
            recorded=act.now,
        )
        return changes.change_document_status(impression, change)


def status_of(shop: Workshop, impression: str) -> DocumentStatus | None:
    """All changes of one document's status; None means ``in_force`` since it was sealed. Raises ``UnknownError``."""
    with shop.database.read() as connection:
        impressions.checked(connection, shop.book, impression)
        found = shop.registry.look(connection, DocumentStatus, status_id(impression))
        return None if found is None else found.record
