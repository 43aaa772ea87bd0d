"""A book on a real database of each kind, with a real Ed25519 key that counts its uses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from databases import KINDS, PostgresServer, copy_of, empty_database, postgres_server, server_programs
from sqlalchemy import text

from keystore.interface import Algorithm, Permit, Purpose
from ledger import migrate
from ledger.book import Appended, Book
from ledger.canonical import JsonValue
from ledger.checkpoint import LogIdentity
from ledger.database import Database
from ledger.entry import Draft
from ledger.ids import new_id

ORIGIN = "yinxin.example/log"
NOON = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)  # before the clock of those tests that take real time
SECOND = timedelta(seconds=1)


class LogKey:
    """A SigningKey on an Ed25519 key in memory; redeems permits like a backend and counts its uses."""

    ref = "memory:log"
    purpose: Purpose = "log"
    algorithm: Algorithm = "ed25519"

    def __init__(self, seed: bytes = b"\x07" * 32) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.permits: list[Permit] = []

    @property
    def uses(self) -> int:
        return len(self.permits)

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, permit: Permit, message: bytes) -> bytes:
        permit.redeem(self, message)
        self.permits.append(permit)
        return self._private.sign(message)


@dataclass
class World:
    """One log: its database, key, book and clock."""

    database: Database
    anchor: Path
    key: LogKey = field(default_factory=LogKey)
    now: datetime = NOON
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def url(self) -> str:
        return self.database.engine.url.render_as_string(hide_password=False)

    @property
    def identity(self) -> LogIdentity:
        return LogIdentity.of_key(ORIGIN, self.key)

    def restart(self) -> None:
        """A new process as far as the book can tell."""
        self.book = Book(self.database, self.identity, self.key, last_checkpoint=self.anchor)

    def append_now(self) -> Appended:
        self.now = datetime.now(UTC)
        return self.append()

    def append(self, *subjects: str, kind: str = "seal.use", **groups: JsonValue) -> Appended:
        self.now += SECOND
        draft = Draft(kind=kind, subjects=subjects or (new_id("sea"),), groups=groups or {"row": {"n": 1}})
        with self.database.write() as connection:
            return self.book.append(connection, draft, self.now)

    def fill(self, count: int) -> None:
        for number in range(count):
            self.append(row={"n": number})

    def sql(self, statement: str, **values: object) -> None:
        """What somebody with the database's password could do."""
        with self.database.engine.begin() as connection:
            connection.execute(text(statement), values)

    def count(self, table: str) -> int:
        with self.database.read() as connection:
            number: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            return number


@pytest.fixture
def log_key() -> LogKey:
    return LogKey()


@pytest.fixture
def other_key() -> LogKey:
    return LogKey(b"\x08" * 32)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    programs = server_programs()
    if programs is None:
        pytest.skip("needs the program postgres")
    with postgres_server(programs) as server:
        yield server


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> PostgresServer | None:
    """The server of the database under test; None for SQLite, which has none."""
    return request.getfixturevalue("postgres") if request.param == "postgresql" else None


@pytest.fixture
def empty_url(server: PostgresServer | None, tmp_path: Path) -> Iterator[str]:
    with empty_database("postgresql" if server else "sqlite", tmp_path, server) as url:
        yield url


@pytest.fixture(scope="session")
def templates() -> dict[bool, str]:
    """Migrated databases to copy, by whether they are on the server; filled on first use."""
    return {}


@pytest.fixture
def url(
    server: PostgresServer | None,
    templates: dict[bool, str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    on_server = server is not None
    if on_server not in templates:
        kind = "postgresql" if on_server else "sqlite"
        with empty_database(kind, tmp_path_factory.mktemp("template"), server) as template:
            opened = Database(template)
            migrate.upgrade(opened)
            opened.close()
            templates[on_server] = template
    return copy_of(templates[on_server], tmp_path, server)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "last-checkpoint")
