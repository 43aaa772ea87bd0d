"""The tables of the record, and the one row of its empty tree."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ledger_entries",
        sa.Column("index", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "ledger_subjects",
        sa.Column("subject", sa.String(40), primary_key=True),
        sa.Column("index", _NUMBER, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_openings",
        sa.Column("index", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("group", sa.Text(), primary_key=True),
        sa.Column("salt", sa.LargeBinary(32), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("erased_by", _NUMBER, nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("index", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
    )
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("range", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.String(27), nullable=True),
        sa.CheckConstraint("id = 1", name="ck_ledger_head_one_row"),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0, "range": b"", "time": None}])


def downgrade() -> None:
    """Drop the tables, and with them the record."""
    for name in ("head", "checkpoints", "nodes", "openings", "subjects", "entries"):
        op.drop_table(f"ledger_{name}")
