"""The seal cycle as the auditor sees it: applications, attempts and impressions, column by column, against the entries.

The entries are walked once, in their order, and tell how every row must look; then the rows are compared. A group
that was lawfully erased tells nothing, and nothing is compared with it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from ledger.book import StoredEntry
from ledger.canonical import canonical
from ledger.errors import LedgerError
from ledger.moments import to_text
from sealing import impressions, tables
from sealing.audit_findings import AuditFinding, broken, differs
from sealing.errors import SealingError
from sealing.impressions import Impression
from sealing.workshop import Workshop

KINDS = (
    "application.received",
    "application.rejected",
    "application.withdrawn",
    "seal.intended",
    "seal.refused",
    "seal.impressed",
    "seal.abandoned",
)

_ENDS = {
    "seal.impressed": "sealed",
    "seal.refused": "refused",
    "application.rejected": "rejected",
    "application.withdrawn": "withdrawn",
}
_ENDED_ATTEMPT = {"seal.impressed": "sealed", "seal.abandoned": "abandoned"}

Walked = Callable[[int, int], None]


@dataclass(slots=True)
class _Told:
    """What the entries tell of the rows: by application, attempt, and entry number."""

    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[str, dict[str, Any]] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)  # application or attempt: its newest entry
    impressed: set[int] = field(default_factory=set)


def cycle(connection: Connection, shop: Workshop, now: datetime, walked: Walked) -> Iterator[AuditFinding]:
    """Everything in the tables of the seal cycle and the documents that does not follow from the entries."""
    told = _Told()
    rows = {row["entry_index"]: Impression.of(row) for row in _rows(connection, tables.impressions)}
    indexes = shop.book.indexes(connection, *KINDS)
    for done, index in enumerate(indexes, start=1):
        try:
            entry = shop.book.entry(connection, index)
        except LedgerError:  # the ledger's own walk told
            continue
        yield from _learn(told, entry)
        if entry.kind == impressions.IMPRESSED:
            told.impressed.add(index)
            yield from _impression(shop, rows.get(index), entry)
        walked(done, len(indexes))
    for index in sorted(rows.keys() - told.impressed):
        en = f"impression {rows[index].id} names entry {index}, which is no impression"
        yield broken("impression-without-entry", f"impressions {rows[index].id}", "用章行没有对应条目", en)
    yield from _compare("application", _by_id(connection, tables.applications), told.applications, told)
    stored = _by_id(connection, tables.attempts)
    yield from _compare("attempt", stored, told.attempts, told)
    yield from _open(stored, told, now)


def _learn(told: _Told, entry: StoredEntry) -> Iterator[AuditFinding]:
    ids, document = _group(entry, "application"), _group(entry, "document")
    application = str(ids.get("application"))
    if not ids or entry.kind == "seal.abandoned":
        row: dict[str, Any] = {}
    else:
        row = told.applications.setdefault(application, {})
        told.newest[application] = entry.index
        if row.get("state") in _ENDS.values():
            en = f"application {application} ended in entry {row['entry_index']} and goes on in {entry.index}"
            yield broken("application-ended-twice", f"entry {entry.index}", f"申请 {application} 办结后又有条目", en)
        row |= {"client": ids.get("client"), "state": _ENDS.get(entry.kind, "open"), "entry_index": None}
        row |= {"impression": ids.get("impression")}
        row |= {"document": document["source_digest"]} if document.get("source_digest") else {}
    if entry.kind == "application.received":
        order = _group(entry, "order")
        row |= {"state": "waiting"}
        row |= {"organ": order["organ"], "order_json": canonical(order).decode()} if order else {}
    elif entry.kind == "seal.intended":
        told.attempts[str(ids.get("attempt"))] = _intended(entry, ids, document)
        told.newest[str(ids.get("attempt"))] = entry.index
    elif entry.kind in _ENDS:
        row |= {"entry_index": entry.index}
    if "facts" in (decision := _group(entry, "decision")):
        row |= {"organ": decision["facts"]["request"]["organ"]}
    if entry.kind in _ENDED_ATTEMPT and ids:
        yield from _end_attempt(told, entry, str(ids.get("attempt")))


def _intended(entry: StoredEntry, ids: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """How the row of an attempt looks that was just intended."""
    seal, approval = _group(entry, "seal"), _group(entry, "approval")
    row = {"application": ids.get("application"), "lease_until": ids.get("lease_until"), "intent_entry": entry.index}
    row |= {"to_be_signed": document["to_be_signed"]} if document else {}
    row |= {"seal": seal["seal"], "agreement": seal.get("agreement_id")} if seal else {}
    row |= {"assurance": approval["assurance"] or ""} if approval else {}
    return row | {"state": "intended", "outcome_entry": None}


def _end_attempt(told: _Told, entry: StoredEntry, attempt: str) -> Iterator[AuditFinding]:
    row = told.attempts.setdefault(attempt, {})
    if not row:
        en = f"attempt {attempt} ended but no intent was recorded"
        yield broken("attempt-without-intent", f"entry {entry.index}", f"办理 {attempt} 没有意向记录", en)
    elif row["state"] != "intended":
        en = f"attempt {attempt} ended in entry {row['outcome_entry']} and again in {entry.index}"
        yield broken("attempt-ended-twice", f"entry {entry.index}", f"办理 {attempt} 有两个结果", en)
    row |= {"state": _ENDED_ATTEMPT[entry.kind], "outcome_entry": entry.index}
    told.newest[attempt] = entry.index


def _impression(shop: Workshop, row: Impression | None, entry: StoredEntry) -> Iterator[AuditFinding]:
    if row is None:
        yield broken("impression-without-row", f"entry {entry.index}", "用章记录缺行", "the impression has no row")
        return
    columns = impressions.differences(row, entry)
    if columns:
        yield differs("impression", f"impressions {row.id}", entry.index, columns)
    try:
        shop.documents.read_path(row.sealed_digest)
    except SealingError as error:
        yield broken(error.code, f"impressions {row.id}", error.zh, error.en)


def _compare(
    kind: str, rows: Mapping[str, RowMapping], expected: Mapping[str, Mapping[str, Any]], told: _Told
) -> Iterator[AuditFinding]:
    for key, row in rows.items():
        if key not in expected:
            en = f"no entry tells of this {kind}"
            yield broken(f"{kind}-without-entry", f"{kind}s {key}", "没有任何条目提及", en)
            continue
        columns = [column for column, value in expected[key].items() if row[column] != value]
        if columns:
            yield differs(kind, f"{kind}s {key}", told.newest[key], columns)
    for key in expected.keys() - rows.keys():
        if kind == "application" or expected[key].get("state") != "intended":  # a living attempt is told below
            en = f"entry {told.newest[key]} tells of a row that is not there"
            yield broken(f"{kind}-without-row", f"{kind}s {key}", f"第 {told.newest[key]} 条所记的行不在", en)


def _open(stored: Mapping[str, RowMapping], told: _Told, now: datetime) -> Iterator[AuditFinding]:
    """Attempts without an outcome: alive, lapsed, or gone."""
    for attempt, row in told.attempts.items():
        if row.get("state") != "intended":
            continue
        where = f"attempts {attempt}"
        if attempt not in stored or stored[attempt]["state"] != "intended":
            en = f"the intent of attempt {attempt} has neither an outcome nor a living attempt"
            yield broken("intent-without-outcome", where, f"办理 {attempt} 没有结果", en)
        elif str(row["lease_until"]) < to_text(now):
            zh, en = f"办理 {attempt} 已超时，请运行 recover", f"attempt {attempt} has lapsed; run recover"
            yield AuditFinding(severity="open", code="attempt-lapsed", where=where, zh=zh, en=en)


def _group(entry: StoredEntry, name: str) -> dict[str, Any]:
    opening = entry.openings.get(name)
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}


def _rows(connection: Connection, table: Any) -> Iterator[RowMapping]:  # noqa: ANN401  a Table, whose columns mypy does not know
    return iter(connection.execute(select(table)).mappings())


def _by_id(connection: Connection, table: Any) -> dict[str, RowMapping]:  # noqa: ANN401  as above
    return {row["id"]: row for row in _rows(connection, table)}
