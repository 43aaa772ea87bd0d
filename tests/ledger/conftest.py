"""Fixtures: databases of both kinds, copied from a migrated one, and a log on each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import KINDS, PostgresServer, copy_of, empty_database
from ledger_world import LogKey, World

from ledger import migrate
from ledger.database import Database


@pytest.fixture
def log_key() -> LogKey:
    return LogKey()


@pytest.fixture
def other_key() -> LogKey:
    return LogKey(b"\x08" * 32)


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
