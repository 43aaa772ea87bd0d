"""Document and licence numbers in use: reserved with the intent, freed when an attempt is abandoned.

A number is unique per (grantor, agreement lineage, kind, number, copy), compared folded [000 二(三)]. Beyond
that the copies of one document (正本, 副本) share its number only within one case. A licence number may
recur in its own case, and in a later basis that names its predecessor. Call under the agreement's lock: then
what :func:`conflicts` says still holds when :func:`reserve` writes; the unique index is the second lock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from policies.facts import Basis, DocumentKind, NumberConflict
from policies.folding import fold
from registry.errors import ConflictError
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


_HOLDERS = select(t).where(
    t.c.grantor == bindparam("grantor"),
    t.c.lineage == bindparam("lineage"),
    t.c.kind == bindparam("kind"),
    t.c.name == bindparam("name"),
    t.c.folded == bindparam("folded"),
    t.c.application != bindparam("application"),
)
_FOLDED_OF = select(t.c.folded).where(t.c.application.in_(bindparam("applications", expanding=True)))
_FREE = delete(t).where(t.c.application == bindparam("of"))


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
        again = name == "licence_number" and any(row.copy == use.copy for row in _holders(connection, use, name, given))
        values = {
            "application": use.application,
            "name": name,
            "grantor": use.grantor,
            "lineage": use.lineage,
            "kind": use.kind,
            "copy": use.copy,
            "folded": fold(given),
            "given": given,
            "recurrence": use.application if again else "",
            "case_number": use.case_number,
        }
        try:
            connection.execute(insert(t), values)
        except IntegrityError as error:
            raise _in_use(given) from error


def free(connection: Connection, application: str) -> None:
    """Give the numbers of an application back after its attempt was abandoned."""
    connection.execute(_FREE, {"of": application})


def _holders(connection: Connection, use: NumberUse, name: NumberName, given: str) -> Sequence[Row[Any]]:
    parameters = {
        "grantor": use.grantor,
        "lineage": use.lineage,
        "kind": use.kind,
        "name": name,
        "folded": fold(given),
        "application": use.application,
    }
    return connection.execute(_HOLDERS, parameters).all()


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
    rows = connection.execute(_FOLDED_OF, {"applications": [row.application for row in holders]})
    return fold(use.predecessor) in set(rows.scalars())


def _in_use(value: str) -> ConflictError:
    return ConflictError("number-in-use", f"编号 {value} 已被使用", f"the number {value} is in use")
