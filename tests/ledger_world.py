"""A log for tests: a book on a real database, with a real Ed25519 key that counts its uses."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from keystore.interface import Algorithm, Permit, Purpose
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
