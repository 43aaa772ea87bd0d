"""Cosignatures of witnesses, outside time-stamps of checkpoints, and what each witness last answered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ledger_cosignatures",
        sa.Column("size", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("witness", sa.String(300), primary_key=True),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
    )
    op.create_table(
        "ledger_checkpoint_tokens",
        sa.Column("size", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
    )
    op.create_table(
        "ledger_witnesses",
        sa.Column("witness", sa.String(300), primary_key=True),
        sa.Column("asked", sa.String(27), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("size", _NUMBER, nullable=True),
    )


def downgrade() -> None:
    """Drop them; the cosignatures in receipts that were given out stay what they are."""
    for name in ("witnesses", "checkpoint_tokens", "cosignatures"):
        op.drop_table(f"ledger_{name}")
