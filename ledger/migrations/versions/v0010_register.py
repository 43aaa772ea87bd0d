"""The usage register as an index: what its lines are found and counted by."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_bytewise = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
_INDEXES = {
    "date": ["local_date"],
    "grantor": ["grantor", "kind", "entry_index"],
    "grantee": ["grantee", "kind", "entry_index"],
    "seal": ["seal", "entry_index"],
    "item": ["item", "entry_index"],
    "case": ["case_key", "entry_index"],
    "document": ["document_key", "entry_index"],
    "licence": ["licence_key", "entry_index"],
}


def upgrade() -> None:
    """Make the tables; the service fills them from the entries when it starts."""
    op.create_table(
        "register_lines",
        sa.Column("entry_index", _number, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("local_date", sa.String(10), nullable=False),
        sa.Column("grantor", sa.String(18), nullable=False),
        sa.Column("grantee", sa.String(18), nullable=False),
        sa.Column("seal", sa.String(40), nullable=False),
        sa.Column("item", sa.String(20), nullable=False),
        sa.Column("case_key", _bytewise, nullable=False),
        sa.Column("document_key", _bytewise, nullable=False),
        sa.Column("licence_key", _bytewise, nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
    )
    for name, columns in _INDEXES.items():
        op.create_index(f"ix_register_lines_{name}", "register_lines", columns)
    op.create_table(
        "register_rules",
        sa.Column("rule", sa.String(60), primary_key=True),
        sa.Column("entry_index", _number, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_register_rules_entry", "register_rules", ["entry_index"])


def downgrade() -> None:
    """Drop them; the entries still tell everything."""
    op.drop_table("register_rules")
    op.drop_table("register_lines")
