"""Add archive time-stamps before the newest ones lapse (ETSI EN 319 142-1 5.4.3; yinxin renew).

Each file is renewed by itself: the new file is in the store and on disk, then its entry is committed, and from then on
it is what downloads give. A process that is killed in between leaves an orphan; the next run renews that file again.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, Literal

from authority.errors import TimeStampTokenError
from authority.timestamp_token import TimeStampToken, read_token
from keystore.interface import KeystoreError
from ledger.errors import LedgerError
from registry.errors import RegistryError
from sandbox.errors import SandboxError
from sealing.clock import Clock
from sealing.errors import ConflictError, SealingError, UnavailableError
from sealing.impressions import Impression, Selection, check, listed
from sealing.levels import archive, token_facts
from sealing.outside_services import read_roots
from sealing.renewed_files import KeptFile, Renewal, newest_file, renewal_draft
from sealing.time_stamping import build_path, time_stamper
from sealing.validation_data import ValidationData, for_time_stamps
from sealing.workshop import Workshop
from signer.archive_file import ArchivedFile
from signer.errors import SignerError

State = Literal["renewed", "due", "current", "no-time-stamp", "lapsed", "failed"]
_CAUSES: Final = (SealingError, SignerError, SandboxError, KeystoreError, LedgerError, RegistryError, OSError)
_PAGE: Final = 100
_BLOCK: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of one file. ``subject`` is an impression's id or a path; ``code`` and ``en`` tell of a failure."""

    subject: str
    state: State
    expires: datetime | None = None
    code: str | None = None
    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Renew what lapses within ``within`` of now; with ``dry_run`` only say what would be."""

    within: timedelta
    dry_run: bool
    clock: Clock

    def state(self, expires: datetime | None, now: datetime, *, weak: bool = False) -> State:
        """What is to be done with a file whose newest time-stamp's certificate lapses at ``expires``."""
        if expires is None:
            return "no-time-stamp"
        if expires <= now:
            return "lapsed"
        return "due" if weak or expires - now <= self.within else "current"


def renew_store(shop: Workshop, task: Task, at: Callable[[str], None] = lambda _: None) -> Iterator[Report]:
    """Every impression of the installation, in the order of the record; ``at`` is told ``renewed_file_kept``."""
    after = -1
    while True:
        with shop.database.read() as connection:
            rows = list(listed(connection, Selection(organs=None, after=after, limit=_PAGE)))
        for row in rows:
            yield _guarded(row.id, partial(_renew_impression, shop, row, task, at))
        if len(rows) < _PAGE:
            return
        after = rows[-1].entry


def renew_file(shop: Workshop, source: Path, target: Path, task: Task) -> Report:
    """One sealed PDF outside the store; the renewed copy is put at ``target``, whole or not at all.

    A target that exists is never replaced: it begins with the source, as an earlier run made it, or this is a failure.
    """
    return _guarded(str(source), partial(_renew_path, shop, source, target, task))


def _guarded(subject: str, work: Callable[[], Report]) -> Report:
    try:
        return work()
    except _CAUSES as error:
        code = str(getattr(error, "code", "system"))
        zh, en = (str(getattr(error, name, error)) for name in ("zh", "en"))
        return Report(subject=subject, state="failed", code=code, zh=zh, en=en)


def _renew_impression(shop: Workshop, row: Impression, task: Task, at: Callable[[str], None]) -> Report:
    now = task.clock()
    with shop.database.read() as connection:
        kept = newest_file(connection, shop.book, check(connection, shop.book, row))
    state = _unless_vain(shop, task.state(kept.expires, now), kept.expires, now)
    if state != "due" or task.dry_run:
        return Report(subject=row.id, state=state, expires=kept.expires)
    path = shop.documents.read_path(kept.digest)
    file = ArchivedFile(path=path, digest=bytes.fromhex(kept.digest.removeprefix("sha256:")), length=kept.length)
    archived, token = archive(shop, file, task.clock, _units_data(shop, _tokens(shop, path), task.clock()))
    digest = shop.documents.put(archived.path)
    at("renewed_file_kept")
    after = KeptFile(digest=digest, length=archived.length, expires=token.signer.not_valid_after_utc)
    _record(shop, row, Renewal(impression=row.id, before=kept.digest, after=after), token, task.clock())
    return Report(subject=row.id, state="renewed", expires=after.expires)


def _unless_vain(shop: Workshop, state: State, expires: datetime | None, now: datetime) -> State:
    """``current`` instead of ``due`` where no time-stamp that lasts longer can be had: however often this is run."""
    if state != "due" or expires is None:
        return state
    return "due" if time_stamper(shop).probe(now)[0].not_valid_after_utc > expires else "current"


def _record(shop: Workshop, row: Impression, renewal: Renewal, token: TimeStampToken, now: datetime) -> None:
    """Commit the renewal, unless another process renewed the same file meanwhile; then its own copy is removed."""
    draft = renewal_draft(renewal, token_facts(token, time_stamper(shop).source))
    with shop.database.write() as connection:
        shop.book.hold(connection)
        overtaken = newest_file(connection, shop.book, row).digest != renewal.before
        if not overtaken:
            shop.book.append(connection, draft, now)
    if overtaken:
        shop.documents.destroy(renewal.after.digest)
        raise ConflictError(
            "renewed-meanwhile",
            f"用章记录 {row.id} 的文件已由另一进程续期",
            f"the file of impression {row.id} was renewed by another process meanwhile",
        )


def _renew_path(shop: Workshop, source: Path, target: Path, task: Task) -> Report:
    now, tokens = task.clock(), _tokens(shop, source)
    expires = tokens[-1].signer.not_valid_after_utc if tokens else None
    weak = bool(tokens and tokens[-1].weak)
    state = task.state(expires, now, weak=weak)
    state = state if weak else _unless_vain(shop, state, expires, now)
    if state == "due" and target.exists():
        _check_renewed(source, target)
        state = "current"
    if state != "due" or task.dry_run:
        return Report(subject=str(source), state=state, expires=expires)
    with source.open("rb") as file:
        digest = file_digest(file, "sha256").digest()
    original = ArchivedFile(path=source, digest=digest, length=source.stat().st_size)
    archived, token = archive(shop, original, task.clock, _units_data(shop, tokens, task.clock()))
    try:
        shop.documents.give(archived.path, target)
    finally:
        archived.path.unlink(missing_ok=True)
    return Report(subject=str(source), state="renewed", expires=token.signer.not_valid_after_utc)


def _check_renewed(source: Path, target: Path) -> None:
    """Raise :class:`ConflictError` unless ``target`` is a renewed copy of ``source``: two sources may share a name."""
    with source.open("rb") as before, target.open("rb") as after:
        same = all(block == after.read(len(block)) for block in iter(partial(before.read, _BLOCK), b""))
        if same and after.read(1):
            return
    raise ConflictError(
        "target-of-another",
        f"{target} 已存在，但不是 {source} 的续期文件；同名文件应分别输出到不同目录",
        f"{target} exists and is no renewed copy of {source}; put files of one name into different folders",
    )


def _tokens(shop: Workshop, path: Path) -> list[TimeStampToken]:
    """The time-stamps in a file, in the order of its revisions."""
    found: dict[str, Any] = shop.workers.call(
        "verify.stored_tokens:list_time_stamps", {"document": str(path.absolute())}, seconds=shop.seconds_for(path)
    )
    try:
        return [read_token(b64decode(each)) for each in found["tokens"]]
    except TimeStampTokenError as error:
        raise ConflictError("time-stamp-unreadable", error.zh, error.en) from error


def _units_data(shop: Workshop, tokens: list[TimeStampToken], now: datetime) -> ValidationData:
    """Validation data of the units that gave these time-stamps: what the new one will protect."""
    roots = (shop.installation.root_certificate, *read_roots(shop.settings.timestamp_roots))
    units = {each.signer: build_path(each.signer, each.certificates, roots) for each in tokens}
    strange = [path for path in units.values() if path[-1] not in roots]
    if strange:
        name = strange[0][0].subject.rfc4514_string()
        raise UnavailableError(
            "time-stamp-root-unknown",
            f"时间戳机构 {name} 不在已配置的根之下，无法取得其验证数据",
            f"the time-stamp unit {name} leads to no configured root; its validation data cannot be had",
        )
    return for_time_stamps(shop, units.values(), now)
