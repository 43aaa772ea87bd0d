"""Run by Alembic for :mod:`ledger.migrate`; the database comes with the configuration, never from a file."""

from alembic import context

from ledger.database import Database
from ledger.tables import metadata


def _migrate(database: Database) -> None:
    with database.migrating() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=database.dialect == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


_migrate(context.config.attributes["database"])
