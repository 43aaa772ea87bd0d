"""Restore a backup into an empty folder: everything is checked beside it first, then the whole folder gets its name.

A restore that would bring back less than what was signed or cosigned before is refused, unless two administrators
say so in signed statements. That it was restored is the first entry that the restored ledger appends.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path

from keystore.interface import KeyUnreadableError
from keystore.private_file import read_private, write_private
from ledger.canonical import JsonValue
from ledger.database import Database
from ledger.entry import Draft
from ledger.migrate import revision, revisions, upgrade
from ledger.store import read_head
from sealing.archive import Member, decrypting, members
from sealing.audit import Progress, audit, no_progress
from sealing.backup import DATABASE, DOCUMENTS, INSTALLATION, KEY_ENCRYPTION_KEY, MANIFEST, VERSION, Manifest
from sealing.errors import BackupError
from sealing.installation import Installation
from sealing.restore_consent import Consent, check_consent, rollback_content
from sealing.restore_known import Known, check_known, known_checkpoints
from sealing.root_list import sync_folder
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

RESTORED = "installation.restored"
_LONGEST_IDENTITY = 64 * 1024
_LONGEST_MANIFEST = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """What to restore, where to, and what is known of the ledger beside the backup."""

    backup: Path
    folder: Path
    identity: Path
    key_encryption_key: bytes | None = None
    checkpoints: Sequence[Path] = ()
    previous: Sequence[Path] = ()  # data folders of the installation as it was
    consent: Consent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A finished restore. ``known`` is how many entries were signed or cosigned as far as known; 0: not known."""

    installation: str
    log: str
    entries: int
    known: int
    entry: int
    said_by: tuple[str, ...]


def restore(settings: Settings, asked: Restoring, now: datetime, progress: Progress = no_progress) -> Restored:
    """Raises :class:`BackupError`, ``EvidenceError`` for statements, ``keystore`` and ``ledger`` errors.

    Whatever it raises, and wherever it is killed, nothing stands under ``asked.folder``.
    """
    _check_empty(asked.folder)
    identity = read_private(asked.identity, limit=_LONGEST_IDENTITY, error=KeyUnreadableError)
    with asked.backup.open("rb") as file:
        digest = "sha256:" + file_digest(file, "sha256").hexdigest()
    with _staging(asked.folder) as staging:
        manifest = _unpack(asked.backup, identity, staging)
        _place_key(asked, manifest, staging)
        _bring_up(staging)
        with open_workshop(staged_settings(settings, staging)) as shop:
            _check_manifest(shop, manifest)
            _check_sound(shop, now, progress)
            known = known_checkpoints(shop, asked.checkpoints, asked.previous, now)
            restored = _record(shop, digest, known, asked.consent, now)
        _publish(staging, asked.folder)
    return restored


def staged_settings(settings: Settings, folder: Path) -> Settings:
    """The settings for the restored folder: everything in it, keys in this process for the check alone."""
    keystore = settings.keystore if not settings.keystore.startswith("file:") else ""
    return settings.model_copy(
        update={
            "data": folder,
            "database_url": "",
            "keystore": keystore,
            "key_encryption_key": None,
            "unsafe_in_process_keys": True,
            "log_origin": Installation.read(folder / INSTALLATION).log_origin,
        }
    )


def _unpack(backup: Path, identity: bytes, staging: Path) -> Manifest:
    room = shutil.disk_usage(staging).free
    digests: dict[str, str] = {}
    with backup.open("rb") as source, decrypting(source, identity) as stream:
        for member in members(stream, most_bytes=room):
            digests[member.name] = _write(member, staging)
    found = _manifest(staging / MANIFEST)
    (staging / MANIFEST).unlink()
    documents = {name: digest for name, digest in digests.items() if name.startswith(f"{DOCUMENTS}/")}
    others = {name: digest for name, digest in digests.items() if name not in documents and name != MANIFEST}
    right = all(name == f"{DOCUMENTS}/{digest[:2]}/{digest}" for name, digest in documents.items())
    if others != found.files or len(documents) != found.documents or not right:
        raise BackupError(
            "backup-incomplete",
            "备份内容与其清单不符：有缺失、多出或改动的文件",
            "the backup is not what its manifest says: files are missing, changed or too many",
        )
    return found


def _write(member: Member, staging: Path) -> str:
    path, digest = staging / member.name, sha256()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in member.chunks():
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(descriptor)
    return digest.hexdigest()


def _manifest(path: Path) -> Manifest:
    value = None
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= _LONGEST_MANIFEST:
            value = json.loads(path.read_bytes())
    if not isinstance(value, dict) or value.keys() != {each.name for each in fields(Manifest)} or value["v"] != VERSION:
        raise BackupError(
            "backup-incomplete",
            f"备份没有版本 {VERSION} 的清单，可能未写完",
            f"the backup has no manifest of version {VERSION}; it may not have been finished",
        )
    return Manifest(**value)


def _place_key(asked: Restoring, manifest: Manifest, staging: Path) -> None:
    path = staging / KEY_ENCRYPTION_KEY
    if asked.key_encryption_key is not None and not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(path, asked.key_encryption_key)
    if manifest.keystore == "file" and not path.exists():
        raise BackupError(
            "key-encryption-key-needed",
            "备份中没有密钥加密密钥；请给出其文件或足够的分片",
            "the key-encryption key is not in the backup; give its file, or enough shares of it",
        )


def _bring_up(staging: Path) -> None:
    """The schema of this code. Raises :class:`BackupError` for a newer one."""
    database = Database(f"sqlite:///{(staging / DATABASE).absolute()}")
    try:
        with database.read() as connection:
            healthy = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        found, known = revision(database), revisions()
        if found not in known or healthy != "ok":
            raise BackupError(
                "backup-newer" if healthy == "ok" else "backup-database",
                f"备份的数据库版本为 {found}（完整性 {healthy}），本程序至 {known[0]}",
                f"the backup's database is at {found} (integrity {healthy}); this program knows up to {known[0]}",
            )
        upgrade(database)
    finally:
        database.close()


def _check_manifest(shop: Workshop, manifest: Manifest) -> None:
    with shop.database.read() as connection:
        tree = read_head(connection).range
    found = (shop.installation.id, shop.identity.vkey, tree.size, tree.root().hex())
    if found != (manifest.installation, manifest.log, manifest.entries, manifest.root):
        raise BackupError(
            "backup-incomplete",
            "备份的清单与其账本不是同一安装、同一时刻的",
            "the manifest and the ledger in the backup are not of one installation at one moment",
        )


def _check_sound(shop: Workshop, now: datetime, progress: Progress) -> None:
    broken = [each for each in audit(shop, now, progress) if each.severity == "broken"]
    if broken:
        first = broken[0]
        raise BackupError(
            "backup-unsound",
            f"备份未通过核查，共 {len(broken)} 处，首处 {first.where}：{first.zh}",
            f"the backup fails the audit in {len(broken)} places, first {first.where}: {first.en}",
        )


def _record(shop: Workshop, digest: str, known: Sequence[Known], consent: Consent | None, now: datetime) -> Restored:
    """Append what was restored, once nothing speaks against it or two persons said so."""
    with shop.database.read() as connection:
        size = read_head(connection).range.size
    against = check_known(shop, known)
    most = max((each.size for each in known), default=0)
    said_by: tuple[str, ...] = ()
    if against is not None:
        if consent is None:
            raise against
        said_by = check_consent(shop, consent, rollback_content(digest, known=most, entries=size), now)
    told: dict[str, JsonValue] = {
        "backup": digest,
        "from_size": most,
        "to_size": size,
        "against": "" if against is None else against.code,
        "said_by": list(said_by),
        "statements": [consent.proposal, consent.decision] if consent and said_by else [],
    }
    draft = Draft(kind=RESTORED, subjects=(shop.installation.id,), groups={"restored": told})
    with shop.database.write() as connection:
        entry = shop.book.append(connection, draft, now)
    return Restored(
        installation=shop.installation.id,
        log=shop.identity.vkey,
        entries=entry.index + 1,
        known=most,
        entry=entry.index,
        said_by=said_by,
    )


def _check_empty(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise BackupError(
            "restore-not-empty",
            f"{folder} 不是空目录",
            f"{folder} is not an empty folder; a restore overwrites nothing",
        )
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A private folder beside the target; what a killed restore left there is removed."""
    whole = folder.absolute()
    staging = whole.with_name(f".{whole.name}.restoring")
    with whole.with_name(f".{whole.name}.restoring.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError("restore-running", "该目录正在恢复", "this folder is being restored") from None
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            Path(lock.name).unlink(missing_ok=True)


def _publish(staging: Path, folder: Path) -> None:
    for each in staging.rglob("*"):
        if each.is_dir():
            sync_folder(each)
    sync_folder(staging)
    staging.rename(folder.absolute())  # onto nothing, or onto an empty folder
    sync_folder(folder.absolute().parent)
