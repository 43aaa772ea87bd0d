"""What waits for a principal: found by organ, and statements that are about to be signed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index and the table."""
    op.create_index("ix_applications_organ", "applications", ["organ", "state", "received_at"])
    op.create_table(
        "pending_approvals",
        sa.Column("handle", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("applications", sa.Text(), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("expires", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Drop both; nothing that was approved is lost."""
    op.drop_table("pending_approvals")
    op.drop_index("ix_applications_organ", "applications")
