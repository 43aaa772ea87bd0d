"""Which application used which line of an approval: each line of a manifest serves one application, once.

A manifest may name several documents of a case, and each is an application of its own; so the line is
what is used up, not the statement as a whole. The unique key is written in the first commit; only the same
application may come again with the same line (a retry after an abandoned attempt); nothing is given back.

The intent's ledger entry names :func:`line_subject` beside its application, so a row that was deleted or given to
another application by hand is noticed.
"""

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.book import Book
from registry.errors import ConflictError, RowTamperedError
from registry.record import derived_id
from registry.tables import consumed_approvals as t

_HOLDER = select(t.c.application).where(t.c.approval == bindparam("approval"), t.c.document == bindparam("document"))


def line_subject(approval: str, document: str) -> str:
    """The ledger subject of one line; it tells nothing, because the approval's id is random."""
    return derived_id("apl", approval, document)


def used_by(connection: Connection, book: Book, approval: str, *, document: str) -> str | None:
    """The application that used the line of ``approval`` for the PDF with digest ``document``, if any.

    Raises :class:`RowTamperedError` when the ledger says otherwise, ``ledger.errors.RecordBrokenError`` when its
    tables do not fit its leaves.
    """
    holder = connection.execute(_HOLDER, {"approval": approval, "document": document}).scalar_one_or_none()
    newest = book.newest(connection, line_subject(approval, document))
    if newest is not None and holder not in book.trusted(connection, newest).leaf.subjects:
        raise RowTamperedError(
            "row-tampered",
            f"表 {t.name} 行 {approval}：与台账条目不符",
            f"table {t.name}, row {approval}: it does not fit its ledger entry",
        )
    return holder


def consume(connection: Connection, book: Book, approval: str, *, document: str, application: str) -> None:
    """Use the line up for ``application``; nothing happens when this application has it already.

    Raises :class:`ConflictError` ``approval-consumed`` when another application has.
    """
    holder = used_by(connection, book, approval, document=document)
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
