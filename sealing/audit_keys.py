"""The custody process' own record of key uses against the ledger, both ways.

Each use of a key that needs an intent has one, each thing that exists by a key's use has that use, each checkpoint that
was signed is one of this log. What was made before the record of uses began is told of once, and not looked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, runtime_checkable

from sqlalchemy import Connection

from custody.uses import FIRST, UseLine, line_digest
from keystore.interface import KeystoreError
from ledger import audit_rows, store
from ledger.book import StoredEntry
from ledger.errors import LedgerError
from ledger.merkle import CompactRange, leaf_hash
from ledger.moments import from_text
from sealing.audit_findings import AuditFinding, broken
from sealing.errors import InstallationError
from sealing.workshop import Workshop

INTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "seal": ("seal.intended",),
    "request": ("certificate.requested",),
    "certificate": ("certificate.intended", "service_certificate.intended"),
    "report": ("report.intended",),
    "destruction": ("key_destruction.intended",),
}
"""The form of a use, as the custody process tells it, and the kinds of the entry that must have foreseen it."""
FREE: Final = frozenset({"checkpoint", "list", "answer", "timestamp", "token", "root", "issuer"})
"""Forms of uses that no entry foresees."""
_FOUNDING: Final = frozenset({"root", "issuer"})
_END: Final = 2**62


@runtime_checkable
class KeepsUses(Protocol):
    """A keystore that keeps a record of uses."""

    def uses_after(self, n: int) -> Iterable[UseLine]:
        """The lines of the record from number ``n`` on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAudit:
    """What was found, how many uses were compared, and since when the record tells of them (None: it is empty)."""

    findings: list[AuditFinding]
    uses: int
    begins: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    """Something that exists by a key's use: by the entry of its intent, by a certificate's serial, or by a root."""

    code: str
    where: str
    zh: str
    en: str
    name: str  # of the member of ``about`` that tells it
    value: str


@dataclass(slots=True)
class _Uses:
    """The record of uses, line by line, and what can be asked of it."""

    lines: list[UseLine] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    findings: list[AuditFinding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether the log's own key was made under this record, so that no entry can be older."""
        made = (each for each in self.lines if each.event == "generation" and each.purpose == "log")
        return any(each.about.get("found") == "generated" for each in made)

    def covers(self, moment: datetime) -> bool:
        """Whether the record should tell of a use at ``moment``."""
        return self.whole or (bool(self.lines) and moment >= from_text(self.lines[0].time))


def audit_keys(shop: Workshop) -> KeyAudit:
    """Compare record and ledger. Raises :class:`InstallationError` where keys are used without a record of it.

    Both may grow meanwhile: what needs a use is gathered before the record is read, and what needs an intent after.
    """
    if not isinstance(shop.keystore, KeepsUses):
        raise InstallationError(
            "no-record-of-uses",
            "密钥由服务进程自己持有（unsafe_in_process_keys），没有用钥记录可供核对",
            "keys are held by the service itself (unsafe_in_process_keys): there is no record of uses to compare",
        )
    with shop.database.read() as connection:
        needed = [*_impressions(connection, shop), *_certificates(connection, shop)]
        needed += [*_reports(connection, shop), *_checkpoints(connection)]
    uses = _read(shop.keystore)
    found = [*uses.findings, *_begins_late(uses), *_missing(uses, needed)]
    with shop.database.read() as connection:
        found += _unforeseen(connection, shop, uses)
        found += _foreign_checkpoints(connection, uses)
    begins = uses.lines[0].time if uses.lines else None
    return KeyAudit(findings=found, uses=sum(line.event == "use" for line in uses.lines), begins=begins)


def _read(keystore: KeepsUses) -> _Uses:
    """The record, as far as each line follows from the one before."""
    uses, previous, failed = _Uses(), FIRST, set[int]()
    try:
        for number, line in enumerate(keystore.uses_after(0)):
            if (line.n, line.previous) != (number, previous):
                en = f"line {number} of the record of uses does not follow from the one before"
                uses.findings.append(broken("uses-broken", f"line {number}", "用钥记录此行与前一行不相接", en))
                break
            uses.lines.append(line)
            previous = line_digest(line)
            if line.event == "failure" and isinstance(line.about.get("use"), int):
                failed.add(int(str(line.about["use"])))
    except KeystoreError as error:
        uses.findings.append(broken("uses-broken", f"line {len(uses.lines)}", error.zh, error.en))
    for line in uses.lines:
        if line.event == "use" and line.n not in failed:
            uses.told |= {(name, str(line.about[name])) for name in ("intent", "serial", "root") if name in line.about}
    return uses


def _begins_late(uses: _Uses) -> Iterator[AuditFinding]:
    if not uses.whole:
        since = f"uses since {uses.lines[0].time} only" if uses.lines else "nothing"
        en = f"the record tells of {since}: it was begun after the log's key was made"
        zh = "用钥记录晚于台账密钥的产生，此前的用钥无从核对"
        yield AuditFinding(severity="open", code="uses-begin-late", where="line 0", zh=zh, en=en)


def _missing(uses: _Uses, needed: Iterable[tuple[datetime, _Needed]]) -> Iterator[AuditFinding]:
    for time, each in needed:
        if uses.covers(time) and (each.name, each.value) not in uses.told:
            yield broken(each.code, each.where, each.zh, each.en)


def _impressions(connection: Connection, shop: Workshop) -> Iterator[tuple[datetime, _Needed]]:
    for entry in _entries(connection, shop, "seal.impressed"):
        intended = _intent_of(connection, shop, _group(entry, "application"))
        if intended is not None:
            en = f"a seal was put by entry {entry.index}, and the record holds no use for it"
            yield entry.time, _use_of(intended, "impression-without-use", entry, "盖章没有对应的用钥记录", en)


def _reports(connection: Connection, shop: Workshop) -> Iterator[tuple[datetime, _Needed]]:
    for entry in _entries(connection, shop, "report.made"):
        intended = _intent_of(connection, shop, _group(entry, "report"))
        if intended is not None:
            en = f"a report was sealed by entry {entry.index}, and the record holds no use for it"
            yield entry.time, _use_of(intended, "report-without-use", entry, "核验报告没有对应的用钥记录", en)


def _use_of(intended: StoredEntry, code: str, entry: StoredEntry, zh: str, en: str) -> _Needed:
    return _Needed(code=code, where=f"entry {entry.index}", zh=zh, en=en, name="intent", value=intended.leaf.id)


def _intent_of(connection: Connection, shop: Workshop, group: Mapping[str, Any]) -> StoredEntry | None:
    index = group.get("intent_entry")
    try:
        return shop.book.entry(connection, index) if isinstance(index, int) else None
    except LedgerError:  # the ledger's own walk told
        return None


def _certificates(connection: Connection, shop: Workshop) -> Iterator[tuple[datetime, _Needed]]:
    for entry in _entries(connection, shop, "seal_key.certified", "service_key.certified"):
        body = _group(entry, "body")
        if body and body.get("issuer", "internal") == "internal":
            serial = str(body.get("serial"))
            en = f"certificate {serial} was released, and the record holds no use that signed it"
            yield (
                entry.time,
                _Needed(
                    code="certificate-without-use",
                    where=f"entry {entry.index}",
                    zh="证书没有对应的用钥记录",
                    en=en,
                    name="serial",
                    value=serial,
                ),
            )


def _checkpoints(connection: Connection) -> Iterator[tuple[datetime, _Needed]]:
    for size, root, _, time in audit_rows.checkpoints(connection, 0, _END):
        en = f"the checkpoint of {size} entries is stored, and the record holds no use that signed it"
        yield (
            from_text(time),
            _Needed(
                code="checkpoint-without-use",
                where=f"ledger_checkpoints size {size}",
                zh="检查点没有对应的用钥记录",
                en=en,
                name="root",
                value=root.hex(),
            ),
        )


def _unforeseen(connection: Connection, shop: Workshop, uses: _Uses) -> Iterator[AuditFinding]:
    """Uses that no entry foresaw, or an entry that is about something else."""
    founded = False
    for line in uses.lines:
        if line.event not in {"use", "destruction"}:
            continue
        form = str(line.about.get("form"))
        founded = founded or form == "checkpoint"
        late = form in _FOUNDING and founded
        if late or (form not in FREE and not _foreseen(connection, shop, line, INTENTS.get(form, ()))):
            what = f"was used for {line.message}" if line.event == "use" else "was destroyed"
            zh = f"密钥 {line.key} 的一次使用或销毁（{line.message}）没有对应的意向"
            en = f"key {line.key} {what} without an intent in the ledger"
            yield broken("use-without-intent", f"line {line.n}", zh, en)


def _foreseen(connection: Connection, shop: Workshop, line: UseLine, kinds: tuple[str, ...]) -> bool:
    index = line.about.get("entry")
    try:
        entry = shop.book.entry(connection, index) if isinstance(index, int) else None
    except LedgerError:
        entry = None
    if entry is None or entry.kind not in kinds or entry.leaf.id != line.about.get("intent"):
        return False
    groups = ("document", "report", "request", "certificate", "key")
    said = {name: value for group in groups for name, value in _group(entry, group).items()}
    told = {"to_be_signed": line.message, "key": line.key, "serial": line.about.get("serial")}
    names = ("to_be_signed", "key") if line.purpose != "ca" else ("serial",)  # a group that was erased tells nothing
    return all(said[name] == told[name] for name in names if name in said)


def _foreign_checkpoints(connection: Connection, uses: _Uses) -> Iterator[AuditFinding]:
    """Trees that were signed and are not the present log's: computed again from its leaves."""
    signed = [line for line in uses.lines if line.event == "use" and line.about.get("form") == "checkpoint"]
    roots = _roots(connection, {_size(line) for line in signed})
    for line in signed:
        size, root = _size(line), line.about.get("root")
        if size not in roots:
            en = f"a checkpoint of {size} entries was signed, which this log does not have"
            yield broken("checkpoint-ahead-of-log", f"line {line.n}", f"签过 {size} 条的检查点，台账没有这么多", en)
        elif roots[size] != root:
            en = f"a checkpoint of {size} entries was signed with root {root}; this log had {roots[size]}"
            yield broken("checkpoint-of-another-log", f"line {line.n}", f"签过的 {size} 条的树不是本台账的", en)


def _roots(connection: Connection, sizes: set[int]) -> dict[int, str]:
    """The root that the log had at each of these sizes, as far as it has come."""
    tree, roots = CompactRange(), dict[int, str]()
    for data in store.leaves(connection, 0, store.read_head(connection).range.size):
        tree, _ = tree.append(leaf_hash(data))
        if tree.size in sizes:
            roots[tree.size] = tree.root().hex()
    return roots | ({0: CompactRange().root().hex()} if 0 in sizes else {})


def _size(line: UseLine) -> int:
    size = line.about.get("size")
    return size if isinstance(size, int) else -1


def _entries(connection: Connection, shop: Workshop, *kinds: str) -> Iterator[StoredEntry]:
    for index in shop.book.indexes(connection, *kinds):
        try:
            yield shop.book.entry(connection, index)
        except LedgerError:  # the ledger's own walk told
            continue


def _group(entry: StoredEntry, name: str) -> Mapping[str, Any]:
    opening = entry.openings.get(name)
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}
