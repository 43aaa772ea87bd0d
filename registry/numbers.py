"""Document and licence numbers in use: reserved with the intent, freed when an attempt is abandoned.

A number is unique per (grantor, agreement lineage, kind, number, copy) [000 二(三)], compared by
:func:`policies.folding.number_key`; a number that is a piece of one in use, has one in use as a piece, or
overlaps with one is in use as well, because a document may be said to bear a piece of its number. The copies
of one document (正本, 副本) share its number only within one case. A licence number may recur in its own
case, and in a later basis that names its predecessor. Call under the agreement's lock:
then what :func:`conflicts` says still holds when :func:`reserve` writes; the unique index is the second lock.

The intent's ledger entry names :func:`number_subjects`, so a row that was deleted or changed by hand is noticed
by :func:`check_reserved` when somebody asks for its number.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from ledger.book import Book, StoredEntry
from ledger.canonical import canonical
from ledger.errors import LedgerError
from ledger.tables import subjects
from policies.facts import Basis, DocumentKind, NumberConflict
from policies.folding import digit_runs, fold, may_be_same, number_key
from registry.errors import ConflictError, RowTamperedError
from registry.tables import number_handles as h
from registry.tables import reserved_numbers as t

NumberName = Literal["document_number", "licence_number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUse:
    """The numbers of one application, as given, and what they are unique within."""

    grantor: str
    lineage: str  # agreement id, the same through all versions
    application: str
    case_number: str
    kind: DocumentKind
    copy: str
    basis: Basis
    predecessor: str | None
    document_number: str | None
    licence_number: str | None

    def named(self) -> Iterator[tuple[NumberName, str]]:
        """Each number that is given, with its name."""
        if self.document_number is not None:
            yield "document_number", self.document_number
        if self.licence_number is not None:
            yield "licence_number", self.licence_number


_HANDLED = select(h.c.application).where(
    h.c.lineage == bindparam("lineage"),
    h.c.handle.in_(bindparam("handles", expanding=True)),
    h.c.name == bindparam("name"),
)
_NEAR = select(t).where(
    t.c.grantor == bindparam("grantor"),
    t.c.lineage == bindparam("lineage"),
    t.c.kind == bindparam("kind"),
    t.c.name == bindparam("name"),
    or_(t.c.key == bindparam("key"), t.c.application.in_(_HANDLED)),
    t.c.application != bindparam("application"),
)
_KEYS_OF = select(t.c.key).where(t.c.application.in_(bindparam("applications", expanding=True)))
_FREE = delete(t).where(t.c.application == bindparam("of"))
_FREE_HANDLES = delete(h).where(h.c.application == bindparam("of"))
_ROW = select(t).where(t.c.application == bindparam("application"), t.c.name == bindparam("name"))
_ABOUT = select(subjects.c.index).where(subjects.c.subject == bindparam("subject")).order_by(subjects.c.index)


def conflicts(connection: Connection, use: NumberUse) -> tuple[NumberConflict, ...]:
    """The numbers that another application holds against the rule above."""
    return tuple(
        NumberConflict(name=name, value=given, used_by=row.case_number)
        for name, given in use.named()
        for row in _in_the_way(connection, use, name, _holders(connection, use, name, given))
    )


def reserve(connection: Connection, use: NumberUse) -> None:
    """Hold the numbers for the application, in place of what it held before.

    Raises :class:`ConflictError` ``number-in-use`` when another application holds one of them.
    """
    found = conflicts(connection, use)
    if found:
        raise _in_use(found[0].value)
    free(connection, use.application)
    for name, given in use.named():
        # A permitted recurrence of a licence number stands beside its first holder in the index.
        key = number_key(given)
        near = _holders(connection, use, name, given)
        again = name == "licence_number" and any((row.key, row.copy) == (key, use.copy) for row in near)
        values = {
            "application": use.application,
            "name": name,
            "grantor": use.grantor,
            "lineage": use.lineage,
            "kind": use.kind,
            "copy": use.copy,
            "key": key,
            "given": given,
            "recurrence": use.application if again else "",
            "case_number": use.case_number,
        }
        try:
            connection.execute(insert(t), values)
        except IntegrityError as error:
            raise _in_use(given) from error
        handles = {*digit_runs(key), *_serial_handle(given), _joined(key)}
        found_by = {"lineage": use.lineage, "application": use.application, "name": name}
        connection.execute(insert(h), [found_by | {"handle": handle} for handle in sorted(handles)])


def free(connection: Connection, application: str) -> None:
    """Give the numbers of an application back after its attempt was abandoned."""
    connection.execute(_FREE, {"of": application})
    connection.execute(_FREE_HANDLES, {"of": application})


def number_subjects(use: NumberUse, secret: bytes) -> tuple[str, ...]:
    """The ledger subjects of the numbers, for the intent's entry.

    Subjects are public and a number can be guessed, so they are keyed with the installation's ``secret``.
    """
    return tuple(_subject(use, name, given, secret) for name, given in use.named())


def check_reserved(connection: Connection, book: Book, use: NumberUse, secret: bytes) -> None:
    """Compare what the record tells about each of these numbers with the rows that hold them.

    Raises :class:`RowTamperedError` when an intent that was not abandoned has no row, or another one, and
    ``ledger.errors.RecordBrokenError``.
    """
    for name, given in use.named():
        subject = _subject(use, name, given, secret)
        if book.latest(connection, subject) is None:
            continue
        for entry in _entries(connection, book, subject):
            attempt, application = entry.leaf.subjects[:2]
            if not _was_abandoned(connection, book, attempt):
                _check_row(connection, use, name, given, application=application, entry=entry)


def _subject(use: NumberUse, name: NumberName, given: str, secret: bytes) -> str:
    number = [use.grantor, use.lineage, use.kind, name, number_key(given)]
    mac = hmac.digest(secret, canonical({"d": "yinxin/number-subject/v1", "number": number}), "sha256")
    return f"num-{b32encode(mac[:16]).decode('ascii').rstrip('=').lower()}"


def _was_abandoned(connection: Connection, book: Book, attempt: str) -> bool:
    kinds = {entry.kind for entry in _entries(connection, book, attempt)}
    return "seal.abandoned" in kinds and "seal.impressed" not in kinds


def _entries(connection: Connection, book: Book, subject: str) -> Iterator[StoredEntry]:
    indexes = connection.execute(_ABOUT, {"subject": subject}).scalars().all()
    return (book.entry(connection, index) for index in indexes)


def _check_row(
    connection: Connection, use: NumberUse, name: NumberName, given: str, *, application: str, entry: StoredEntry
) -> None:
    row = connection.execute(_ROW, {"application": application, "name": name}).one_or_none()
    expected = (use.grantor, use.lineage, use.kind, number_key(given))
    if row is None or (row.grantor, row.lineage, row.kind, row.key) != expected or not _is_of_case(row, entry):
        raise RowTamperedError(
            "row-tampered",
            f"表 {t.name} 中申请 {application} 的行：与台账条目不符",
            f"table {t.name}, row of {application}: it does not fit its ledger entry",
        )


def _is_of_case(row: Row[Any], entry: StoredEntry) -> bool:
    try:
        case = entry.value("case")
    except LedgerError:  # erased lawfully; the row alone tells the case
        return True
    return isinstance(case, dict) and (case["case_number"], case["copy"]) == (row.case_number, row.copy)


def _serial_handle(given: str) -> tuple[str, ...]:
    """Marks the run of digits that tells most: the last that is not in brackets, as 〔2026〕 and （26） are.

    Which run is marked decides how many rows are looked at, never which numbers conflict: each run of a piece
    is a run of the whole, so the whole is found by any run of the piece.
    """
    folded = fold(given)
    runs = digit_runs(number_key(re.sub(r"\([0-9]*\)", " ", folded))) or digit_runs(number_key(folded))
    return (f"={runs[-1]}",) if runs else ()


def _joined(key: str) -> str:
    """Finds a number whose digits are set without the brackets between them."""
    return "#" + "".join(digit_runs(key))


def _sought(given: str) -> list[str]:
    """Handles of every number that has this one as a piece, or is a piece of it."""
    key = number_key(given)
    serial = (handle.removeprefix("=") for handle in _serial_handle(given))
    return [*serial, *(f"={run}" for run in digit_runs(key)), _joined(key)]


def _holders(connection: Connection, use: NumberUse, name: NumberName, given: str) -> Sequence[Row[Any]]:
    key = number_key(given)
    parameters = {
        "grantor": use.grantor,
        "lineage": use.lineage,
        "kind": use.kind,
        "name": name,
        "key": key,
        "handles": _sought(given),
        "application": use.application,
    }
    near = connection.execute(_NEAR, parameters).all()
    return [row for row in near if may_be_same(key, row.key)]


def _in_the_way(
    connection: Connection, use: NumberUse, name: NumberName, holders: Sequence[Row[Any]]
) -> Sequence[Row[Any]]:
    case = fold(use.case_number)
    others = [row for row in holders if fold(row.case_number) != case]
    if name == "document_number":
        same_copy = [row for row in holders if fold(row.case_number) == case and row.copy == use.copy]
        return same_copy + others
    return [] if _follows(connection, use, others) else others


def _follows(connection: Connection, use: NumberUse, holders: Sequence[Row[Any]]) -> bool:
    """Whether ``use`` names a number of these holders as its predecessor, in a basis that has one."""
    if use.basis == "new" or use.predecessor is None or not holders:
        return False
    rows = connection.execute(_KEYS_OF, {"applications": [row.application for row in holders]})
    return number_key(use.predecessor) in set(rows.scalars())


def _in_use(value: str) -> ConflictError:
    return ConflictError("number-in-use", f"编号 {value} 已被使用", f"the number {value} is in use")
