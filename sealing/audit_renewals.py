"""The renewals of sealed files as the auditor sees them: each begins with the one before, and all are in the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from ledger.errors import LedgerError
from sealing.audit_findings import AuditFinding, broken
from sealing.errors import SealingError
from sealing.impressions import IMPRESSED
from sealing.renewed_files import RENEWED, KeptFile, Renewal, read_renewal, sealed_file
from sealing.workshop import Workshop

_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """What is wrong with renewals, and the digests of all files that one names."""

    findings: list[AuditFinding]
    digests: frozenset[str]


def renewals(connection: Connection, shop: Workshop) -> Renewals:
    """Walk the entries of impressions and renewals in their order; each renewal against the file before it."""
    newest: dict[str, KeptFile] = {}
    digests, findings = set[str](), list[AuditFinding]()
    indexes = shop.book.indexes(connection, RENEWED)
    for index in sorted([*shop.book.indexes(connection, IMPRESSED), *indexes] if indexes else []):
        try:
            entry = shop.book.entry(connection, index)
            if entry.kind == IMPRESSED:
                newest[entry.leaf.subjects[0]] = sealed_file(entry)
                continue
            renewal = read_renewal(entry)
        except (LedgerError, KeyError):  # the ledger's own walk told, or it was erased
            continue
        digests.add(renewal.after.digest)
        findings += _wrong(shop, newest.get(renewal.impression), renewal, f"entry {index}")
        newest[renewal.impression] = renewal.after
    return Renewals(findings=findings, digests=frozenset(digests))


def _wrong(shop: Workshop, before: KeptFile | None, renewal: Renewal, where: str) -> Iterator[AuditFinding]:
    if before is None or before.digest != renewal.before:
        en = f"the renewal is of {renewal.before}, which is not the newest file of {renewal.impression}"
        yield broken("renewal-of-another", where, "所续期的不是当时最新的文件", en)
        return
    try:
        path = shop.documents.read_path(renewal.after.digest)
    except SealingError as error:
        yield broken(error.code, where, error.zh, error.en)
        return
    if path.stat().st_size != renewal.after.length or _prefix(path, before.length) != before.digest:
        en = f"the renewed file of {renewal.impression} does not begin with the file before it"
        yield broken("renewal-differs", where, "续期后的文件不以原文件开头", en)


def _prefix(path: Path, length: int) -> str:
    digest, left = sha256(), length
    with path.open("rb") as file:
        while left and (block := file.read(min(_BLOCK, left))):
            digest.update(block)
            left -= len(block)
    return "sha256:" + digest.hexdigest()
