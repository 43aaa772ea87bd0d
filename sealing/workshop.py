"""One installation, wired: settings, database, ledger, registry, keys, authority, documents, workers.

Trust: the database and the document store are trusted for availability only; every row and every document is checked
against the ledger when it is used. The keystore's folder and the key-encryption key are trusted for secrecy.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

import accounts.tables  # noqa: F401  its tables stand in the same metadata that the migrations cover
import registry.tables  # noqa: F401  as above
import sealing.tables  # noqa: F401  as above
from keystore.interface import Keystore, KeystoreError, KeyUnreadableError, SigningKey
from keystore.private_file import read_private, write_private
from ledger.book import Book
from ledger.checkpoint import LogIdentity
from ledger.database import Database
from ledger.migrate import upgrade
from registry.natural_person import natural_person
from registry.store import Registry
from sandbox.pool import Pool
from sealing.clock_trust import ClockWatch
from sealing.documents import DocumentStore
from sealing.errors import InstallationError
from sealing.installation import CREATED, CertifiedIssuer, Installation, found_installation
from sealing.key_service import close_keystore, open_keystore_for
from sealing.register_lines import backfill
from sealing.service_keys import renew_service_keys
from sealing.settings import Settings
from sealing.witness_list import Witness, read_witnesses

SECRET_LENGTH = 32
"""Bytes of the key under which identity numbers are hashed."""

WORK = (
    "signer.desk:inspect_document",
    "signer.desk:prepare_document",
    "signer.desk:normalise_document",
    "signer.report_desk:prepare_report",
    "signer.desk:extend_document",
    "signer.desk:preview_document",
    "signer.desk:place_seal",
    "signer.desk:compare_documents",
    "registry.xlsx_reading:read_xlsx_rows",
    "verify.desk:judge_document",
    "verify.desk:list_signatures",
    "verify.stored_tokens:list_time_stamps",
    "verify.showing:show_document",
)
"""What workers may do. By name only: the parsers of foreign bytes are not loaded beside the keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Premises:
    """What is there before the workers are."""

    settings: Settings
    installation: Installation
    database: Database
    keystore: Keystore
    book: Book
    registry: Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything a seal use needs, opened once a process."""

    settings: Settings
    installation: Installation
    database: Database
    keystore: Keystore
    identity: LogIdentity
    book: Book
    registry: Registry
    documents: DocumentStore
    workers: Pool
    persons_secret: bytes = field(repr=False)
    clock_watch: ClockWatch
    witnesses: tuple[Witness, ...] = ()

    def natural_person(self, identity_number: str) -> str:
        """The keyed hash that is equal for all accounts of one human. Raises ``RecordInvalidError``."""
        return natural_person(identity_number, self.persons_secret)

    def findings_of(self, connection: Connection, entry: int | None) -> list[dict[str, Any]]:
        """The findings recorded in an entry, or none when their opening was erased."""
        if entry is None:
            return []
        decision = self.book.entry(connection, entry).openings.get("decision")
        return list(decision.value["findings"]) if decision is not None and isinstance(decision.value, dict) else []

    def seconds_for(self, document: Path) -> float:
        """Seconds that a worker may spend on a document: more, in proportion, for one beyond 10 MB."""
        return self.settings.sandbox_seconds * max(1.0, document.stat().st_size / 10_000_000)

    def close(self) -> None:
        """Stop the workers and close the database."""
        self.workers.close()
        self.database.close()
        close_keystore(self.keystore)


def initialise(settings: Settings, now: datetime, certified: CertifiedIssuer | None = None) -> Installation:
    """Make a new installation where there is none; on an existing one bring schema and service keys up to date.

    ``certified`` is the outcome of a key ceremony, for a new installation only.
    Raises :class:`InstallationError` when the parts that exist do not belong together.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _path(settings)
    if not _persons_path(settings).exists() and not path.exists():
        _persons_path(settings).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(_persons_path(settings), os.urandom(SECRET_LENGTH))
    database = Database(settings.database)
    keystore = open_keystore_for(settings)
    try:
        upgrade(database)
        if not path.exists():
            _found(settings, keystore, database, now, certified)
        installation = Installation.read(path)
        premises = _premises(settings, installation, keystore, database)
        renew_service_keys(premises, now)
        backfill(premises.book)
    finally:
        close_keystore(keystore)
        database.close()
    return installation


@contextmanager
def open_workshop(settings: Settings) -> Iterator[Workshop]:
    """Open an initialised installation and check that its parts belong together.

    Raises :class:`InstallationError`, ``keystore`` and ``ledger`` errors.
    """
    installation = Installation.read(_path(settings))
    if installation.log_origin != settings.log_origin:
        raise InstallationError(
            "log-origin-differs",
            f"安装的账本为 {installation.log_origin}，设置为 {settings.log_origin}",
            f"this installation's log is {installation.log_origin}, the settings say {settings.log_origin}",
        )
    clock_watch = ClockWatch.of(settings)
    keystore = open_keystore_for(settings)
    log_key = _opened_log_key(keystore, installation)
    identity = LogIdentity.of_key(installation.log_origin, log_key)
    database = Database(settings.database)
    witnesses = read_witnesses(settings.witnesses, needed=settings.witnesses_needed)
    book = Book(
        database,
        identity,
        log_key,
        last_checkpoint=settings.data / "last-checkpoint",
        last_cosigned=settings.data / "last-cosigned",
        witnesses=tuple(each.identity for each in witnesses),
    )
    shop = Workshop(
        settings=settings,
        installation=installation,
        database=database,
        keystore=keystore,
        identity=identity,
        book=book,
        registry=Registry(book),
        documents=DocumentStore(settings.data / "documents"),
        workers=Pool(
            settings.sandbox_workers,
            allowed=WORK,
            queue=settings.waiting,
            memory_bytes=settings.sandbox_memory,
            seconds=settings.sandbox_seconds,
            warm=("signer.desk",),
        ),
        persons_secret=read_private(_persons_path(settings), limit=SECRET_LENGTH, error=KeyUnreadableError),
        clock_watch=clock_watch,
        witnesses=witnesses,
    )
    try:
        _check_first_entry(shop)
        yield shop
    finally:
        shop.close()


def _opened_log_key(keystore: Keystore, installation: Installation) -> SigningKey:
    try:
        return keystore.open(installation.log_key)
    except KeystoreError:
        close_keystore(keystore)
        raise


def _premises(settings: Settings, installation: Installation, keystore: Keystore, database: Database) -> _Premises:
    log_key = keystore.open(installation.log_key)
    identity = LogIdentity.of_key(installation.log_origin, log_key)
    book = Book(
        database,
        identity,
        log_key,
        last_checkpoint=settings.data / "last-checkpoint",
        last_cosigned=settings.data / "last-cosigned",
    )
    return _Premises(
        settings=settings,
        installation=installation,
        database=database,
        keystore=keystore,
        book=book,
        registry=Registry(book),
    )


def _found(
    settings: Settings, keystore: Keystore, database: Database, now: datetime, certified: CertifiedIssuer | None
) -> None:
    installation = found_installation(
        keystore, log_origin=settings.log_origin, public_url=settings.public_url, now=now, certified=certified
    )
    premises = _premises(settings, installation, keystore, database)
    with database.write() as connection:
        first = premises.book.append(connection, installation.draft(), now)
        if first.index != 0:
            raise InstallationError(
                "ledger-without-installation",
                "数据库中已有账本，但没有安装文件；请恢复 installation.json",
                "the database holds a ledger but there is no installation.json; restore the file",
            )
    installation.write(_path(settings))


def _check_first_entry(shop: Workshop) -> None:
    with shop.database.read() as connection:
        entry = shop.book.trusted(connection, 0)  # reads every leaf once, before anybody holds a lock
    opening = entry.openings.get("installation")
    if entry.kind != CREATED or opening is None or opening.value != shop.installation.model_dump(mode="json"):
        raise InstallationError(
            "installation-changed",
            "installation.json 与账本首条记录不符",
            "installation.json is not what the first entry of the ledger committed to",
        )


def _path(settings: Settings) -> Path:
    return settings.data / "installation.json"


def _persons_path(settings: Settings) -> Path:
    return settings.key_encryption_key_path.parent / "natural-person-key"
