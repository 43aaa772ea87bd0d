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
        "pending_statements",
        sa.Column("handle", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("typ", sa.String(60), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
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
    op.create_table(
        "offered_passkeys",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("rp_id", sa.String(255), nullable=False),
        sa.Column("origin", sa.String(300), nullable=False),
        sa.Column("credential_id", sa.String(1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.String(27), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
    )
    op.create_index("ix_offered_passkeys_person", "offered_passkeys", ["person", "state"])


def downgrade() -> None:
    """Drop them; nothing that was applied for or approved is lost."""
    op.drop_table("offered_passkeys")
    op.drop_table("drafts")
    op.drop_table("pending_statements")
    op.drop_index("ix_applications_organ", "applications")
