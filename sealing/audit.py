"""The auditor: walks the record, the registry, the seal cycle and the documents, and names what is wrong.

Three kinds of findings: ``broken`` (somebody changed something), ``open`` (an attempt whose lease lapsed: run
recover), and ``orphan`` (a file that no entry names; it may be removed).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from ledger.errors import LedgerError
from ledger.tables import entries
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.tables import TABLES
from sealing import applications, impressions
from sealing.errors import SealingError
from sealing.impressions import Impression, Selection
from sealing.workshop import Workshop

Progress = Callable[[str, int, int], None]
"""Called with what is walked, how much of it is done, and how much there is."""

_OUTCOMES = ("seal.impressed", "seal.abandoned")
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One thing that is wrong."""

    severity: Literal["broken", "open", "orphan"]
    code: str
    where: str
    zh: str
    en: str


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
        found += _attempts(connection, shop, now)
        found += _impressions(connection, shop, progress)
        found += _certificates(connection, shop)
    return found


def _rows(connection: Connection, shop: Workshop, progress: Progress) -> Iterator[AuditFinding]:
    """Every registry row against the newest ledger entry about it, and every such entry against its row."""
    for done, (kind, table) in enumerate(TABLES.items(), start=1):
        name = KINDS[kind].name
        known = set(connection.execute(select(table.c.id)).scalars())
        for index in _entries(connection, f"{name}.%"):
            row = _value(shop, connection, index, "row")
            known.add(str(row.get("id")))
        for record in sorted(known - {"None"}):
            try:
                shop.registry.get(connection, kind, record)
            except (RegistryError, LedgerError) as error:
                yield _broken(error.code, f"{table.name} {record}", error.zh, error.en)
        progress("registry", done, len(TABLES))


def _attempts(connection: Connection, shop: Workshop, now: datetime) -> Iterator[AuditFinding]:
    """Each intent has at most one outcome; one without has an attempt that is alive."""
    intents = {
        str(_value(shop, connection, index, "application").get("attempt")): index
        for index in _entries(connection, "seal.intended")
    }
    ended: dict[str, int] = {}
    for index in _entries(connection, *_OUTCOMES):
        attempt = str(_value(shop, connection, index, "application").get("attempt"))
        if attempt in ended:
            en = f"attempt {attempt} ended in entry {ended[attempt]} and again in {index}"
            yield _broken("attempt-ended-twice", f"entry {index}", f"办理 {attempt} 有两个结果", en)
        if attempt not in intents:
            en = f"attempt {attempt} ended but no intent was recorded"
            yield _broken("attempt-without-intent", f"entry {index}", f"办理 {attempt} 没有意向记录", en)
        ended[attempt] = index
    lapsed = {each.id for each in applications.lapsed(connection, now)}
    alive = {each.id for each in applications.alive(connection)}
    for attempt in intents.keys() - ended.keys():
        if attempt in lapsed:
            zh, en = f"办理 {attempt} 已超时，请运行 recover", f"attempt {attempt} has lapsed; run recover"
            yield AuditFinding(severity="open", code="attempt-lapsed", where=f"attempts {attempt}", zh=zh, en=en)
        elif attempt not in alive:
            en = f"the intent of attempt {attempt} has neither an outcome nor a living attempt"
            yield _broken("intent-without-outcome", f"attempts {attempt}", f"办理 {attempt} 没有结果", en)


def _impressions(connection: Connection, shop: Workshop, progress: Progress) -> Iterator[AuditFinding]:
    """Each impression entry has its row and its file, and each row and file an entry."""
    rows = {each.entry: each for each in impressions.listed(connection, Selection(organs=None, limit=_MOST))}
    indexes = list(_entries(connection, "seal.impressed"))
    for done, index in enumerate(indexes, start=1):
        row = rows.get(index)
        if row is None:
            yield _broken("impression-without-row", f"entry {index}", "用章记录缺行", "the impression has no row")
        else:
            yield from _impression(connection, shop, row)
        progress("documents", done, len(indexes))
    for index in rows.keys() - set(indexes):
        en = f"impression {rows[index].id} names entry {index}, which is no impression"
        yield _broken("impression-without-entry", f"impressions {rows[index].id}", "用章行没有对应条目", en)
    named = {each.sealed_digest for each in rows.values()} | set(applications.documents(connection))
    for digest in shop.documents.digests():
        if digest not in named:
            zh, en = f"文件 {digest} 没有任何记录", f"no record names the document {digest}"
            yield AuditFinding(severity="orphan", code="orphan-document", where=digest, zh=zh, en=en)


def _impression(connection: Connection, shop: Workshop, row: Impression) -> Iterator[AuditFinding]:
    document = _value(shop, connection, row.entry, "document")
    ids = _value(shop, connection, row.entry, "application")
    told = (document.get("sealed_digest"), document.get("source_digest"), ids.get("impression"), ids.get("application"))
    if told != (row.sealed_digest, row.source_digest, row.id, row.application):
        en = "the row differs from the entry it names"
        yield _broken("impression-differs", f"impressions {row.id}", "用章行与条目不符", en)
    try:
        shop.documents.read_path(row.sealed_digest)
    except SealingError as error:
        yield _broken(error.code, f"impressions {row.id}", error.zh, error.en)


def _certificates(connection: Connection, shop: Workshop) -> Iterator[AuditFinding]:
    """Each certificate was intended before it was made."""
    intended = {
        _value(shop, connection, index, "certificate").get("serial")
        for index in _entries(connection, "certificate.intended")
    }
    for index in _entries(connection, "seal_key.certified"):
        body = _value(shop, connection, index, "body")
        if body.get("issuer") == "internal" and body.get("serial") not in intended:
            en = f"certificate {body.get('serial')} was made without a recorded intent"
            yield _broken("certificate-without-intent", f"entry {index}", "证书没有签发意向记录", en)


def _entries(connection: Connection, *patterns: str) -> list[int]:
    query = select(entries.c.index).order_by(entries.c.index)
    if len(patterns) == 1 and patterns[0].endswith("%"):
        query = query.where(entries.c.kind.like(patterns[0]))
    else:
        query = query.where(entries.c.kind.in_(patterns))
    return list(connection.execute(query).scalars())


def _value(shop: Workshop, connection: Connection, index: int, group: str) -> dict[str, Any]:
    """The opened group; empty when it was erased or the entry is broken, which the ledger's own walk told."""
    try:
        opening = shop.book.entry(connection, index).openings.get(group)
    except LedgerError:
        return {}
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}


def _broken(code: str, where: str, zh: str, en: str) -> AuditFinding:
    return AuditFinding(severity="broken", code=code, where=where, zh=zh, en=en)
