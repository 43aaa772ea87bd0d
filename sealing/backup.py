"""A backup of one whole embedded installation, made while it runs: one tar inside age.

In this order, so that what is copied later never lacks what was copied before: the last signed and cosigned
checkpoints, the database as one snapshot, keys (as they lie, encrypted) and the custody process's record, the
documents that the snapshot names, and last a manifest of all digests. The key-encryption key is not in it unless asked.
"""

import fcntl
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.engine import make_url

from ledger.book import Book
from ledger.database import Database
from ledger.moments import to_text
from ledger.store import read_head
from sealing import applications
from sealing.archive import ArchiveWriter, encrypting
from sealing.errors import BackupError
from sealing.renewed_files import RENEWED, read_renewal
from sealing.root_list import NAME as ROOT_LIST
from sealing.root_list import sync_folder
from sealing.settings import Settings
from sealing.tables import impressions
from sealing.workshop import Workshop

VERSION = 1
DATABASE, INSTALLATION, MANIFEST = "yinxin.db", "installation.json", "manifest.json"
KEY_ENCRYPTION_KEY, PERSONS_KEY = "secret/key-encryption-key", "secret/natural-person-key"
ANCHORS = ("last-checkpoint", "last-cosigned")
KEYS, CUSTODY, DOCUMENTS = "keys", "custody", "documents"

Progress = Callable[[str, int, int], None]
"""Called with what is copied, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What a finished backup holds. ``keys`` is False where they are in a token or a key service."""

    digest: str  # of the encrypted file, sha256:<hex>
    size: int
    entries: int
    root: str
    documents: int
    keys: bool
    key_encryption_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The last file of a backup: what else is in it. Documents are named by their own digests and only counted."""

    v: int
    made: str
    installation: str
    log: str  # verifier key
    entries: int
    root: str
    keystore: str  # scheme only
    documents: int
    files: dict[str, str]  # name: SHA-256 in hex


def back_up(
    shop: Workshop,
    target: Path,
    recipients: Sequence[str],
    now: datetime,
    *,
    with_key_encryption_key: bool = False,
    progress: Progress = lambda *_: None,
) -> BackedUp:
    """Write a backup to ``target``, never over a file; it is on disk under its name only when it is whole.

    Raises :class:`BackupError`, ``OSError``, and ``ledger`` errors.
    """
    _check(shop.settings, target, recipients)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
    with _staging(shop.settings) as staging:
        try:
            with _created(draft) as file, encrypting(file, list(recipients)) as stream:
                packing = _Packing(shop, staging, ArchiveWriter(stream), progress)
                manifest = packing.run(now, with_key_encryption_key=with_key_encryption_key)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
                digest = file_digest(file, "sha256").hexdigest()
            os.link(draft, target)  # unlike rename, never over a file
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)
    return BackedUp(
        digest=f"sha256:{digest}",
        size=target.stat().st_size,
        entries=manifest.entries,
        root=manifest.root,
        documents=manifest.documents,
        keys=manifest.keystore == "file",
        key_encryption_key=KEY_ENCRYPTION_KEY in manifest.files,
    )


class _Packing:
    """One backup that is being written."""

    def __init__(self, shop: Workshop, staging: Path, archive: ArchiveWriter, progress: Progress) -> None:
        self._shop, self._staging, self._archive, self._progress = shop, staging, archive, progress
        self._files: dict[str, str] = {}

    def run(self, now: datetime, *, with_key_encryption_key: bool) -> Manifest:
        settings, shop = self._shop.settings, self._shop
        for name in (INSTALLATION, *ANCHORS, ROOT_LIST):
            self._add_if_there(name, settings.data / name)
        self._add_if_there(PERSONS_KEY, settings.key_encryption_key_path.parent / "natural-person-key")
        if with_key_encryption_key:
            self._add(KEY_ENCRYPTION_KEY, settings.key_encryption_key_path)
        snapshot = self._staging / DATABASE
        copy_database(settings, snapshot)
        entries, root, documents = _named(shop, snapshot)
        self._add(DATABASE, snapshot)
        self._add_folder(KEYS, _key_folder(settings))
        self._add_folder(CUSTODY, settings.data / "custody")
        self._add_documents(documents)
        manifest = Manifest(
            v=VERSION,
            made=to_text(now),
            installation=shop.installation.id,
            log=shop.identity.vkey,
            entries=entries,
            root=root,
            keystore=urlsplit(settings.keystore_uri).scheme,
            documents=len(documents),
            files=self._files,
        )
        content = json.dumps(asdict(manifest), ensure_ascii=True, sort_keys=True, indent=1).encode()
        self._archive.add(MANIFEST, BytesIO(content), len(content))
        self._archive.end()
        return manifest

    def _add(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._files[name] = self._archive.add(name, file, os.fstat(file.fileno()).st_size)

    def _add_if_there(self, name: str, path: Path) -> None:
        with suppress(FileNotFoundError):
            self._add(name, path)

    def _add_folder(self, name: str, folder: Path | None) -> None:
        for path in sorted(folder.rglob("*")) if folder else ():
            inside = path.relative_to(folder) if folder else path
            hidden = any(part.startswith(".") for part in inside.parts) or path.suffix == ".lock"
            if path.is_file() and not path.is_symlink() and not hidden:
                self._add_if_there(f"{name}/{inside.as_posix()}", path)  # a key may be destroyed meanwhile

    def _add_documents(self, digests: Sequence[str]) -> None:
        for done, digest in enumerate(digests, start=1):
            path = self._shop.documents.read_path(digest)
            name = digest.removeprefix("sha256:")
            with path.open("rb") as file:
                self._archive.add(f"{DOCUMENTS}/{name[:2]}/{name}", file, os.fstat(file.fileno()).st_size)
            self._progress("documents", done, len(digests))


def copy_database(settings: Settings, target: Path) -> None:
    """One snapshot of the SQLite database, while others read and write. Raises :class:`BackupError`."""
    path = make_url(settings.database).database or ""
    try:
        with (
            closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)  # all pages in one step: a reader of the log never blocks its writer
    except sqlite3.Error as error:
        raise BackupError(
            "backup-database", f"数据库不能复制：{error}", f"the database cannot be copied: {error}"
        ) from error


def _named(shop: Workshop, snapshot: Path) -> tuple[int, str, list[str]]:
    """Size and root of the ledger in the snapshot, and the documents its rows and entries name."""
    database = Database(f"sqlite:///{snapshot}")
    try:
        book = Book(database, shop.identity, shop.keystore.open(shop.installation.log_key))
        with database.read() as connection:
            found = {*connection.execute(select(impressions.c.sealed_digest)).scalars()}
            uploaded = set(applications.documents(connection))  # kept only where it was received before it was sealed
            found |= uploaded & set(shop.documents.digests())
            for index in book.indexes(connection, RENEWED):
                found.add(read_renewal(book.entry(connection, index)).after.digest)
            head = read_head(connection).range
    finally:
        database.close()
    return head.size, head.root().hex(), sorted(found)


def _check(settings: Settings, target: Path, recipients: Sequence[str]) -> None:
    if not settings.database.startswith("sqlite"):
        raise BackupError(
            "backup-not-embedded",
            "数据库为 PostgreSQL：请用 pg_dump 备份数据库，再复制密钥、文件与安装文件（见 docs/backup.md）",
            "the database is PostgreSQL: back it up with pg_dump, then copy keys, documents and the installation's"
            " files (docs/backup.md)",
        )
    if not recipients:
        raise BackupError("recipient-missing", "至少给出一个 age 接收者", "at least one age recipient is expected")
    if target.exists():
        raise BackupError("backup-exists", f"{target} 已存在，不予覆盖", f"{target} exists and is never overwritten")


def _key_folder(settings: Settings) -> Path | None:
    address = urlsplit(settings.keystore_uri)
    return Path(unquote(address.path)) if address.scheme == "file" else None


@contextmanager
def _staging(settings: Settings) -> Iterator[Path]:
    """A private folder for the copy of the database; one backup at a time, and what a killed one left is removed."""
    folder = settings.data / ".backup"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (settings.data / ".backup.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError("backup-running", "另一备份正在进行", "another backup is under way") from None
        for left in folder.iterdir():
            left.unlink()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


@contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)
