"""Fixtures: a migrated database, SQLite unless a test asks for both kinds, and people on it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import PostgresServer, copy_of, empty_database
from ledger_world import World

sys.path.insert(0, str(Path(__file__).parent))  # account_world, beside the tests

from account_world import AccountWorld

from ledger import migrate
from ledger.database import Database


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """Migrated databases to copy, filled on first use."""
    return {}


@pytest.fixture
def database(
    kind: str, templates: dict[str, str], request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory
) -> Iterator[Database]:
    server: PostgresServer | None = request.getfixturevalue("postgres") if kind == "postgresql" else None
    if kind not in templates:
        with empty_database(kind, tmp_path_factory.mktemp("template"), server) as url:
            made = Database(url)
            migrate.upgrade(made)
            made.close()
            templates[kind] = url
    opened = Database(copy_of(templates[kind], tmp_path, server))
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> AccountWorld:
    return AccountWorld(World(database, tmp_path / "last-checkpoint"))
