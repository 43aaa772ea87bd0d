"""When each impression was made, to the microsecond, so that the uses of an hour can be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the time of each impression: that of its entry."""
    op.add_column("impressions", sa.Column("impressed_at", sa.String(27), nullable=False, server_default=""))
    op.execute(
        "UPDATE impressions SET impressed_at = "
        '(SELECT time FROM ledger_entries WHERE ledger_entries."index" = impressions.entry_index)'
    )
    op.create_index("ix_impressions_seal_time", "impressions", ["seal", "impressed_at"])


def downgrade() -> None:
    """Take it away; the entries still tell it."""
    op.drop_index("ix_impressions_seal_time", "impressions")
    op.drop_column("impressions", "impressed_at")
