"""The auditor: walks the record, the registry, the seal cycle and the documents, and names what is wrong.

Three kinds of findings: ``broken`` (somebody changed something), ``open`` (an attempt whose lease lapsed: run
recover), and ``orphan`` (a file that no entry names; it may be removed).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ledger.errors import LedgerError
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.tables import TABLES
from sealing import applications, drafts, service_keys
from sealing.audit_cycle import cycle
from sealing.audit_findings import AuditFinding, broken
from sealing.audit_register import register
from sealing.audit_renewals import renewals
from sealing.tables import impressions
from sealing.workshop import Workshop

__all__ = ["AuditFinding", "audit", "no_progress"]

Progress = Callable[[str, int, int], None]
"""Called with what is walked, how much of it is done, and how much there is."""


def no_progress(_what: str, _done: int, _all: int) -> None:
    """For callers that show nothing."""


def audit(shop: Workshop, now: datetime, progress: Progress = no_progress) -> list[AuditFinding]:
    """Everything that is wrong, in the order of the walk; an empty list means the installation is sound."""
    found = [
        AuditFinding(severity="broken", code=each.code, where=each.where, zh=each.zh, en=each.en)
        for each in shop.book.audit(lambda done, total: progress("ledger", done, total))
    ]
    with shop.database.read() as connection:
        found += _rows(connection, shop, progress)
        found += cycle(connection, shop, now, lambda done, total: progress("documents", done, total))
        found += register(connection, shop)
        kept = renewals(connection, shop)
        found += kept.findings
        found += _orphans(connection, shop, now, kept.digests)
        found += _certificates(connection, shop)
    return found


def _rows(connection: Connection, shop: Workshop, progress: Progress) -> Iterator[AuditFinding]:
    """Every registry row against the newest ledger entry about it, and every such entry against its row."""
    for done, (kind, table) in enumerate(TABLES.items(), start=1):
        name = KINDS[kind].name
        known = set(connection.execute(select(table.c.id)).scalars())
        for index in shop.book.indexes(connection, f"{name}.%"):
            row = _value(shop, connection, index, "row")
            known.add(str(row.get("id")))
        for record in sorted(known - {"None"}):
            try:
                shop.registry.get(connection, kind, record)
            except (RegistryError, LedgerError) as error:
                yield broken(error.code, f"{table.name} {record}", error.zh, error.en)
        progress("registry", done, len(TABLES))


def _orphans(connection: Connection, shop: Workshop, now: datetime, renewed: frozenset[str]) -> Iterator[AuditFinding]:
    """Files that no row names, and files that a killed process left before it could keep them."""
    sealed = connection.execute(select(impressions.c.sealed_digest)).scalars()
    named = {*sealed, *renewed, *applications.documents(connection), *drafts.documents(connection)}
    for digest in shop.documents.digests():
        if digest not in named:
            zh, en = f"文件 {digest} 没有任何记录", f"no record names the document {digest}"
            yield AuditFinding(severity="orphan", code="orphan-document", where=digest, zh=zh, en=en)
    for path in shop.documents.left(now):
        zh, en = "办理中断遗留的文件，请运行 recover", "left behind by a process that was killed; run recover"
        yield AuditFinding(severity="orphan", code="orphan-incoming", where=f"incoming/{path.name}", zh=zh, en=en)


def _certificates(connection: Connection, shop: Workshop) -> Iterator[AuditFinding]:
    """Each certificate was intended before it was made."""
    intended = {
        _value(shop, connection, index, "certificate").get("serial")
        for index in shop.book.indexes(connection, "certificate.intended", service_keys.INTENDED)
    }
    for index in shop.book.indexes(connection, "seal_key.certified", "service_key.certified"):
        body = _value(shop, connection, index, "body")
        embedded = body.get("issuer", "internal") == "internal"  # a service key is always the embedded authority's
        if body and embedded and body.get("serial") not in intended:
            en = f"certificate {body.get('serial')} was made without a recorded intent"
            yield broken("certificate-without-intent", f"entry {index}", "证书没有签发意向记录", en)


def _value(shop: Workshop, connection: Connection, index: int, group: str) -> dict[str, Any]:
    """The opened group; empty when it was erased or the entry is broken, which the ledger's own walk told."""
    try:
        opening = shop.book.entry(connection, index).openings.get(group)
    except LedgerError:
        return {}
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}
