"""Drafts, what waits for a principal, and statements that are about to be signed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index and the tables."""
    op.create_index("ix_applications_organ", "applications", ["organ", "state", "received_at"])
    op.create_table(
        "pending_approvals",
        sa.Column("handle", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("applications", sa.Text(), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("expires", sa.String(32), nullable=False),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("organ", sa.String(18), nullable=False),
        sa.Column("document", sa.String(71), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("changed", sa.String(32), nullable=False),
    )
    op.create_index("ix_drafts_person", "drafts", ["person", "changed"])


def downgrade() -> None:
    """Drop them; nothing that was applied for or approved is lost."""
    op.drop_table("drafts")
    op.drop_table("pending_approvals")
    op.drop_index("ix_applications_organ", "applications")
