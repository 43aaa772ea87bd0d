"""The index of the usage register as the auditor sees it: line against entry, and entry against line."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from ledger.book import StoredEntry
from ledger.errors import LedgerError
from sealing.audit_findings import AuditFinding, broken, differs
from sealing.register_lines import KINDS, seconds_waited, told_by_entry
from sealing.tables import register_lines, register_rules
from sealing.workshop import Workshop


def register(connection: Connection, shop: Workshop) -> Iterator[AuditFinding]:
    """Every line that is missing, that tells otherwise than its entry, or that has none."""
    rows = {row["entry_index"]: row for row in connection.execute(select(register_lines)).mappings()}
    rules = _rules(connection)
    indexes = shop.book.indexes(connection, *KINDS)
    for index in indexes:
        try:
            entry = shop.book.entry(connection, index)
        except LedgerError:  # the ledger's own walk told
            continue
        yield from _line(connection, rows.get(index), rules.get(index, set()), entry)
    for index in sorted((rows.keys() | rules.keys()) - set(indexes)):
        en = f"a line of the register names entry {index}, which is no use, refusal or paper use"
        yield broken("register-without-entry", f"register_lines {index}", "台账索引行没有对应条目", en)


def _line(
    connection: Connection, row: RowMapping | None, rules: set[str], entry: StoredEntry
) -> Iterator[AuditFinding]:
    if row is None:
        en = "the register's index has no line for it; remove its lines behind this entry and start the service"
        yield broken("register-without-line", f"entry {entry.index}", "台账索引缺行", en)
        return
    told = told_by_entry(entry)
    expected: Mapping[str, Any] = asdict(told.line) | {"seconds": seconds_waited(connection, told)}
    columns = [column for column, value in expected.items() if row[column] != value]
    columns += [] if rules == set(told.rules) else ["rules"]
    if columns:
        yield differs("register", f"register_lines {entry.index}", entry.index, columns)


def _rules(connection: Connection) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for rule, index in connection.execute(select(register_rules.c.rule, register_rules.c.entry_index)):
        found[index].add(rule)
    return found
