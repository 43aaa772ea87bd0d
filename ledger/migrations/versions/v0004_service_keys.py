"""The keys of the service itself: for revocation answers, time-stamps and reports."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE = "registry_service_key"
_LOOKUPS = ("purpose", "serial", "current")
_UNIQUE: tuple[tuple[str, ...], ...] = (("purpose", "current"), ("serial",))


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in _LOOKUPS),
    )
    for group in _UNIQUE:
        op.create_index(f"uq_{_TABLE}_{'_'.join(group)}", _TABLE, list(group), unique=True)
    for name in _LOOKUPS:
        if (name,) not in _UNIQUE:
            op.create_index(f"ix_{_TABLE}_{name}", _TABLE, [name])


def downgrade() -> None:
    """Drop the table; what was recorded about its rows stays in the ledger."""
    op.drop_table(_TABLE)
