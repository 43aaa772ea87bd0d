"""Migrations: from an empty database up and back down, on both, to what the tables of the code say."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ledger_world import World
from sqlalchemy import inspect, text

from ledger import migrate
from ledger.database import Database
from ledger.errors import DatabaseBusyError
from ledger.tables import metadata

OURS = {name for name in metadata.tables if name.startswith("ledger_")}
LATER = {"ledger_cosignatures", "ledger_checkpoint_tokens", "ledger_witnesses"}


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    opened = Database(empty_url)
    yield opened
    opened.close()


def names(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def test_up_from_nothing_and_back_to_nothing(empty: Database) -> None:
    migrate.upgrade(empty)
    assert names(empty) >= {*OURS, "alembic_version"}
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert names(empty) == {"alembic_version"}
    migrate.upgrade(empty, "0001")
    assert names(empty) == {*OURS - LATER, "alembic_version"}
    with empty.read() as connection:
        assert connection.execute(text("SELECT id, size FROM ledger_head")).all() == [(1, 0)]


def test_the_migrated_tables_are_those_of_the_code(empty: Database) -> None:
    migrate.upgrade(empty)

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in OURS

    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        assert [each for each in compare_metadata(context, metadata) if "ledger_" in str(each)] == []


def test_a_record_survives_an_upgrade_of_what_is_already_there(world: World) -> None:
    world.fill(3)
    migrate.upgrade(world.database)
    assert world.append().index == 3
    assert world.book.audit() == []


def test_a_migration_does_not_wait_for_ever(empty_url: str, empty: Database) -> None:
    migrate.upgrade(empty, "0001")
    hasty = Database(empty_url, busy_timeout=timedelta(milliseconds=300))
    with empty.write() as connection:
        connection.execute(text("UPDATE ledger_head SET time = NULL"))
        with pytest.raises(DatabaseBusyError):
            migrate.downgrade(hasty, "base")
    hasty.close()
    assert names(empty) == {*OURS - LATER, "alembic_version"}
