"""A registry on a real database of each kind, with a real log key, and records that fit together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from databases import KINDS, empty_database
from sqlalchemy import text

import registry.tables  # noqa: F401  the migration check compares all tables
from keystore.interface import Algorithm, Permit, Purpose
from ledger import migrate
from ledger.book import Book
from ledger.checkpoint import LogIdentity
from ledger.database import Database
from registry.record import Record
from registry.store import Actor, Registry, Stored

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLERK = Actor(id="per-" + "c" * 26, name="登记员甲", organ=None)


class LogKey:
    """A SigningKey on an Ed25519 key in memory."""

    ref = "memory:log"
    purpose: Purpose = "log"
    algorithm: Algorithm = "ed25519"

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, permit: Permit, message: bytes) -> bytes:
        permit.redeem(self, message)
        return self._private.sign(message)


@dataclass
class World:
    """One registry: its database, book and clock."""

    database: Database
    anchor: Path
    now: datetime = NOON
    key: LogKey = field(default_factory=LogKey)
    store: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process as far as the registry can tell."""
        identity = LogIdentity.of_key("yinxin.example/log", self.key)
        self.store = Registry(Book(self.database, identity, self.key, last_checkpoint=self.anchor))

    def put(self, record: Record, **options: Any) -> Stored[Any]:
        self.now += SECOND
        with self.database.write() as connection:
            return self.store.put(connection, record, by=CLERK, why="test", now=self.now, **options)

    def get(self, kind: type[Record], record_id: str) -> Stored[Any]:
        with self.database.read() as connection:
            return self.store.get(connection, kind, record_id)

    def find(self, kind: type[Record], **lookup: object) -> list[Stored[Any]]:
        with self.database.read() as connection:
            return self.store.find(connection, kind, **lookup)

    def writing(self, action: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self.database.write() as connection:
            return action(connection, *arguments, **options)

    def reading(self, action: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self.database.read() as connection:
            return action(connection, *arguments, **options)

    def sql(self, statement: str, **values: object) -> None:
        """What somebody with the database's password could do."""
        with self.database.engine.begin() as connection:
            assert connection.execute(text(statement), values).rowcount >= 1


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with empty_database(request.param, tmp_path, server) as url:
        opened = Database(url)
        migrate.upgrade(opened)
        yield opened
        opened.close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "last-checkpoint")
