"""The lines of the usage register 台账 as an index into the record: what they are found and counted by.

One row for each seal use, refusal and paper use, written in the transaction of its entry and saying nothing that the
entry does not say. It holds no names; what a user is shown is read from the entry itself (sealing.usage_register).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from ledger.book import Appended, Book, StoredEntry
from ledger.entry import Draft
from ledger.ids import is_id
from ledger.tables import entries, subjects
from policies.folding import fold
from registry.china_time import BEIJING
from sealing.tables import register_lines, register_rules

IMPRESSED: Final = "seal.impressed"
KINDS: Final = (IMPRESSED, "seal.refused", "paper.used")
LONGEST_KEY: Final = 200
_AT_ONCE: Final = 500
"""Lines that one transaction of a backfill writes."""


class _Epoch(FunctionElement[int]):
    """Whole seconds since 1970 of a stored moment; both databases cut the fraction off."""

    inherit_cache = True
    name = "epoch"


@compiles(_Epoch, "sqlite")
def _epoch_sqlite(element: _Epoch, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  as SQLAlchemy calls it
    return f"CAST(strftime('%s', substr({compiler.process(element.clauses, **options)}, 1, 19)) AS INTEGER)"


@compiles(_Epoch, "postgresql")
def _epoch_postgresql(element: _Epoch, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  as above
    moment = f"substr({compiler.process(element.clauses, **options)}, 1, 19) || 'Z'"
    return f"CAST(EXTRACT(EPOCH FROM CAST({moment} AS TIMESTAMPTZ)) AS BIGINT)"


_first = select(func.min(subjects.c.index)).where(subjects.c.subject == bindparam("applied_as")).scalar_subquery()
_applied = select(_Epoch(entries.c.time)).where(entries.c.index == _first)
_insert = insert(register_lines)
_insert_impressed = _insert.values(seconds=bindparam("sealed_at") - _applied.scalar_subquery())
_insert_rules = insert(register_rules)
_newest = select(func.coalesce(func.max(register_lines.c.entry_index), literal_column("-1")))
_delete_line = delete(register_lines).where(register_lines.c.entry_index == bindparam("entry"))
_delete_rules = delete(register_rules).where(register_rules.c.entry_index == bindparam("entry"))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexLine:
    """What the index holds of one entry; numbers and case are folded, and empty where there is none."""

    entry_index: int
    kind: str
    local_date: str  # in Beijing
    grantor: str
    grantee: str
    seal: str
    item: str  # list and number, as 001-2 30
    case_key: str
    document_key: str
    licence_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one entry tells: its line, the rules that its use did not pass, and the application it ended."""

    line: IndexLine
    rules: tuple[str, ...]
    application: str
    time: datetime


def told_by_draft(draft: Draft, entry: Appended) -> Told:
    """What ``draft`` tells, once it was appended as ``entry``."""
    return _told(draft.kind, entry.index, entry.time, draft.groups)


def told_by_entry(stored: StoredEntry) -> Told:
    """What a stored entry still tells; an erased group tells nothing."""
    groups = {name: opening.value for name, opening in stored.openings.items()}
    return _told(stored.kind, stored.index, stored.time, groups)


def key(text: object) -> str:
    """A number as it is searched for: folded, and no longer than what an order may give."""
    return fold(str(text or "")).replace("\0", "")[:LONGEST_KEY]


def _told(kind: str, index: int, time: datetime, groups: Mapping[str, Any]) -> Told:
    seal, case, numbers = (groups.get(name) or {} for name in ("seal", "case", "numbers"))
    wanted = str(seal.get("seal"))
    findings = (groups.get("decision") or {}).get("findings", ())
    line = IndexLine(
        entry_index=index,
        kind=kind,
        local_date=time.astimezone(BEIJING).date().isoformat(),
        grantor=seal.get("grantor_code") or "",
        grantee=seal.get("grantee_code") or "",
        seal=wanted if is_id(wanted) else "",  # an order may ask for anything
        item=case.get("item") or "",
        case_key=key(case.get("case_number")),
        document_key=key(numbers.get("document_number")),
        licence_key=key(numbers.get("licence_number")),
    )
    rules = tuple(dict.fromkeys(each["code"] for each in findings if not each["passed"]))
    return Told(line=line, rules=rules, application=str(groups["application"]["application"]), time=time)


def record(connection: Connection, told: Told) -> None:
    """Index one entry, in the transaction that appended it: one INSERT, and one more where rules failed."""
    values: dict[str, Any] = asdict(told.line)
    if told.line.kind == IMPRESSED:
        values |= {"applied_as": told.application, "sealed_at": int(told.time.timestamp())}
        connection.execute(_insert_impressed, values)
    else:
        connection.execute(_insert, values)
    if told.rules:
        index = told.line.entry_index
        connection.execute(_insert_rules, [{"rule": rule, "entry_index": index} for rule in told.rules])


def rewrite(connection: Connection, stored: StoredEntry) -> None:
    """Index an entry again of which groups were erased, so that the index keeps nothing of them."""
    if stored.kind not in KINDS:
        return
    for statement in (_delete_rules, _delete_line):
        connection.execute(statement, {"entry": stored.index})
    record(connection, told_by_entry(stored))


def seconds_waited(connection: Connection, told: Told) -> int | None:
    """Whole seconds from the first entry about the application to its seal; None of what was not sealed."""
    if told.line.kind != IMPRESSED:
        return None
    applied = connection.execute(_applied, {"applied_as": told.application}).scalar_one()
    return int(told.time.timestamp()) - int(applied)


def backfill(book: Book) -> int:
    """Index the entries behind the newest line, as after an upgrade; how many there were.

    Only what is missing at the end is added: a line that somebody took out of the middle stays missing, and the audit
    names it. Raises ``ledger.errors.RecordBrokenError``.
    """
    with book.database.read() as connection:
        wanted = book.indexes(connection, *KINDS, after=_last(connection))
    for start in range(0, len(wanted), _AT_ONCE):
        with book.database.write() as connection:
            book.hold(connection)  # another process may do the same
            for index in _behind(wanted[start : start + _AT_ONCE], _last(connection)):
                rewrite(connection, book.entry(connection, index))  # rules of a lost line may be left
    return len(wanted)


def _last(connection: Connection) -> int:
    last: int = connection.execute(_newest).scalar_one()
    return last


def _behind(indexes: list[int], last: int) -> Iterator[int]:
    return (index for index in indexes if index > last)
