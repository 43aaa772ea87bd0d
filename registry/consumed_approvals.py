"""Which application used which line of an approval: each line of a manifest serves one application, once.

A manifest may name several documents of a case, and each is an application of its own; so the line is
what is used up, not the statement as a whole. The unique key is written in the first commit; only the same
application may come again with the same line (a retry after an abandoned attempt); nothing is given back.

The intent's ledger entry names :func:`line_subject` beside its application, so a row that was deleted or given to
another application by hand is noticed.
"""

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.tables import subjects
from registry.errors import ConflictError, RowTamperedError
from registry.record import derived_id
from registry.tables import consumed_approvals as t

_HOLDER = select(t.c.application).where(t.c.approval == bindparam("approval"), t.c.document == bindparam("document"))
_NEWEST = select(func.max(subjects.c.index)).where(subjects.c.subject == bindparam("line")).scalar_subquery()
_RECORDED = select(subjects.c.subject).where(subjects.c.index == _NEWEST)


def line_subject(approval: str, document: str) -> str:
    """The ledger subject of one line; it tells nothing, because the approval's id is random."""
    return derived_id("apl", approval, document)


def used_by(connection: Connection, approval: str, *, document: str) -> str | None:
    """The application that used the line of ``approval`` for the PDF with digest ``document``, if any.

    Raises :class:`RowTamperedError` when the ledger says otherwise.
    """
    holder = connection.execute(_HOLDER, {"approval": approval, "document": document}).scalar_one_or_none()
    recorded = connection.execute(_RECORDED, {"line": line_subject(approval, document)}).scalars().all()
    if recorded and holder not in recorded:
        raise RowTamperedError(
            "row-tampered",
            f"表 {t.name} 行 {approval}：与台账条目不符",
            f"table {t.name}, row {approval}: it does not fit its ledger entry",
        )
    return holder


def consume(connection: Connection, approval: str, *, document: str, application: str) -> None:
    """Use the line up for ``application``; nothing happens when this application has it already.

    Raises :class:`ConflictError` ``approval-consumed`` when another application has.
    """
    holder = used_by(connection, approval, document=document)
    if holder == application:
        return
    if holder is not None:
        raise _consumed(approval)
    try:
        connection.execute(insert(t), {"approval": approval, "document": document, "application": application})
    except IntegrityError as error:
        raise _consumed(approval) from error


def _consumed(approval: str) -> ConflictError:
    return ConflictError(
        "approval-consumed",
        f"批准 {approval} 已用于另一申请",
        f"approval {approval} was used by another application",
    )
