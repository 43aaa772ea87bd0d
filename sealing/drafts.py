"""Drafts: what a seal user has begun to apply for. Nobody is asked yet, nothing is in the record, nothing is lost.

A draft keeps the document and what was typed, as it was typed; it becomes an application of the two-step way in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from ledger.canonical import canonical
from ledger.ids import new_id
from ledger.moments import to_text
from sealing.applications import Application
from sealing.errors import ConflictError, UnknownError
from sealing.order import Caller, Order, Submission
from sealing.reception import receive
from sealing.tables import drafts
from sealing.workshop import Workshop

MOST: Final = 200
"""Drafts that one person may keep."""

_mine = select(drafts).where(drafts.c.person == bindparam("owner")).order_by(drafts.c.changed.desc()).limit(MOST)
_one = select(drafts).where(drafts.c.id == bindparam("draft"), drafts.c.person == bindparam("owner"))
_save = (
    update(drafts)
    .where(drafts.c.id == bindparam("draft"), drafts.c.person == bindparam("owner"))
    .values(fields=bindparam("typed"), changed=bindparam("at"))
)
_drop = delete(drafts).where(drafts.c.id == bindparam("draft"), drafts.c.person == bindparam("owner"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft as stored; ``fields`` are the form's fields as typed."""

    id: str
    person: str
    organ: str
    document: str
    name: str
    fields: Mapping[str, str]
    changed: str

    @classmethod
    def of(cls, row: RowMapping) -> "Draft":
        """Read one row."""
        return cls(**{**row, "fields": json.loads(row["fields"])})


def begin(
    shop: Workshop, file: Path, name: str, *, fields: Mapping[str, str], person: str, organ: str, now: datetime
) -> Draft:
    """Keep a document, which is taken over, and what was typed so far.

    ``name`` is what its sender called it. Raises :class:`ConflictError` ``too-many-drafts``, ``StorageError``.
    """
    with shop.database.read() as connection:
        if len(of_person(connection, person)) >= MOST:
            raise ConflictError(
                "too-many-drafts", f"草稿已有 {MOST} 份，请先删除一些", f"there are {MOST} drafts already; delete some"
            )
    draft = Draft(
        id=new_id("dra"),
        person=person,
        organ=organ,
        document=shop.documents.put(file),
        name=name,
        fields=dict(fields),
        changed=to_text(now),
    )
    with shop.database.write() as connection:
        connection.execute(insert(drafts), {**_columns(draft)})
    return draft


def of_person(connection: Connection, person: str) -> list[Draft]:
    """The person's drafts, the newest first."""
    return [Draft.of(row) for row in connection.execute(_mine, {"owner": person}).mappings()]


def get(connection: Connection, draft: str, person: str) -> Draft:
    """One draft of this person. Raises :class:`UnknownError`, for another person's as for one that never was."""
    row = connection.execute(_one, {"draft": draft, "owner": person}).mappings().one_or_none()
    if row is None:
        raise UnknownError("draft-unknown", f"没有草稿 {draft}", f"there is no draft {draft}")
    return Draft.of(row)


def save(shop: Workshop, draft: Draft, fields: Mapping[str, str], now: datetime) -> Draft:
    """Keep what was typed. Raises :class:`UnknownError` when the draft is gone, e.g. submitted in another window."""
    typed = {"draft": draft.id, "owner": draft.person, "typed": _typed(fields), "at": to_text(now)}
    with shop.database.write() as connection:
        if connection.execute(_save, typed).rowcount != 1:
            raise UnknownError("draft-unknown", f"没有草稿 {draft.id}", f"there is no draft {draft.id}")
        return get(connection, draft.id, draft.person)


def discard(connection: Connection, draft: str, person: str) -> bool:
    """Delete a draft; its document stays until ``recover`` finds that no row names it."""
    return connection.execute(_drop, {"draft": draft, "owner": person}).rowcount == 1


def submission_of(shop: Workshop, draft: Draft, order: Order) -> Submission:
    """The draft's document with ``order``. The draft's id is the idempotency key: sent twice, it is one application."""
    return Submission(
        order=order,
        idempotency_key=draft.id,
        source=shop.documents.read_path(draft.document),
        document=draft.document,
        approval=None,
    )


def submit(shop: Workshop, draft: Draft, order: Order, caller: Caller, now: datetime) -> Application:
    """Make an application of a draft; the draft is gone then. Raises as :func:`sealing.reception.receive`."""
    lent = shop.documents.lend(draft.document)
    try:
        application = receive(shop, replace(submission_of(shop, draft, order), source=lent), caller, now)
    finally:
        lent.unlink(missing_ok=True)
    with shop.database.write() as connection:
        discard(connection, draft.id, draft.person)
    return application


def documents(connection: Connection) -> list[str]:
    """Digests of the documents that drafts keep."""
    return list(connection.execute(select(drafts.c.document)).scalars())


def _columns(draft: Draft) -> dict[str, str]:
    names = ("id", "person", "organ", "document", "name", "changed")
    return {**{name: getattr(draft, name) for name in names}, "fields": _typed(draft.fields)}


def _typed(fields: Mapping[str, str]) -> str:
    return canonical(dict(fields)).decode()
