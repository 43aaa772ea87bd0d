"""Schema migrations, run by Alembic through :mod:`ledger.migrate`."""
