"""Applications of organs, the newest first, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from ledger.canonical import parse
from sealing.order import Order
from sealing.tables import applications

APPLICATIONS_A_PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedApplication:
    """One line of the list."""

    id: str
    state: str
    approved: bool
    received_at: str
    order: Order


def listed(connection: Connection, organs: Sequence[str], *, before: str = "") -> list[ListedApplication]:
    """Up to 50 applications of ``organs`` (codes) that were received before ``before``, a time as text, or the newest.

    Two that were received in the same microsecond at the edge of a page are shown on one page only.
    """
    query = select(applications).where(applications.c.organ.in_(organs))
    if before:
        query = query.where(applications.c.received_at < before)
    query = query.order_by(applications.c.received_at.desc(), applications.c.id).limit(APPLICATIONS_A_PAGE)
    return [
        ListedApplication(
            id=row["id"],
            state=row["state"],
            approved=row["approval"] is not None,
            received_at=row["received_at"],
            order=Order.model_validate(parse(row["order_json"].encode())),
        )
        for row in connection.execute(query).mappings()
    ]
