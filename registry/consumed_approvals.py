"""Which application used which line of an approval: each line of a manifest serves one application, once.

A manifest may name several documents of a case, and each is an application of its own; so the line is
what is used up, not the statement as a whole. The unique key is written in the first commit; only the same
application may come again with the same line (a retry after an abandoned attempt); nothing is given back.
"""

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from registry.errors import ConflictError
from registry.tables import consumed_approvals as t

_USED_BY = select(t.c.application).where(
    t.c.approval == bindparam("approval"), t.c.document == bindparam("document")
)


def used_by(connection: Connection, approval: str, *, document: str) -> str | None:
    """The application that used the line of ``approval`` for the PDF with digest ``document``, if any."""
    return connection.execute(_USED_BY, {"approval": approval, "document": document}).scalar_one_or_none()


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
        connection.execute(
            insert(t), {"approval": approval, "document": document, "application": application}
        )
    except IntegrityError as error:
        raise _consumed(approval) from error


def _consumed(approval: str) -> ConflictError:
    return ConflictError(
        "approval-consumed",
        f"批准 {approval} 已用于另一申请",
        f"approval {approval} was used by another application",
    )
