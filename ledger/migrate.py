"""Bringing a database to the schema of this code, and back."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ledger.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Run the migrations up to ``revision``, each in a transaction of its own.

    Raises DatabaseError when locked out.
    """
    command.upgrade(_config(database), revision)


def downgrade(database: Database, revision: str) -> None:
    """Run the migrations back to ``revision``; ``base`` leaves an empty database."""
    command.downgrade(_config(database), revision)


def revision(database: Database) -> str | None:
    """The revision that the database is at; None before the first migration."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def revisions() -> list[str]:
    """The revisions that this code knows, the newest first."""
    return [each.revision for each in ScriptDirectory(str(_SCRIPTS)).walk_revisions()]


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["database"] = database
    return config
