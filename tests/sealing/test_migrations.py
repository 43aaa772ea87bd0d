"""All tables of the system: what the migrations make is what the code says, and they go back to nothing."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from databases import KINDS, empty_database
from sqlalchemy import inspect

import accounts.tables  # noqa: F401  its tables join the one metadata
import registry.tables  # noqa: F401  as above
import sealing.tables  # noqa: F401  as above
from ledger import migrate
from ledger.database import Database
from ledger.tables import metadata


@pytest.fixture(params=KINDS)
def empty(request, tmp_path):
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with empty_database(request.param, tmp_path, server) as url:
        database = Database(url)
        yield database
        database.close()


def test_the_migrations_make_the_tables_of_the_code(empty):
    migrate.upgrade(empty)

    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_migrations_go_back_to_nothing(empty):
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")

    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
