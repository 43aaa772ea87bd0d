"""The tables of the seal cycle: applications, attempts, impressions, and token ids that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _applications()
    _attempts()
    _impressions()
    op.create_table(
        "used_token_ids",
        sa.Column("issuer", sa.String(40), primary_key=True),
        sa.Column("jti", sa.String(200), primary_key=True),
        sa.Column("expires", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    for table in ("used_token_ids", "impressions", "attempts", "applications"):
        op.drop_table(table)


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("organ", sa.String(18), nullable=False),
        sa.Column("idempotency_key", sa.String(200), nullable=False),
        sa.Column("request_digest", sa.String(71), nullable=False),
        sa.Column("order_json", sa.Text, nullable=False),
        sa.Column("document", sa.String(71), nullable=False),
        sa.Column("approval", sa.Text, nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("entry_index", sa.BigInteger, nullable=True),
        sa.Column("impression", sa.String(40), nullable=True),
        sa.UniqueConstraint("client", "organ", "idempotency_key", name="uq_applications_idempotency"),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("application", sa.String(40), sa.ForeignKey("applications.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("lease_until", sa.String(32), nullable=False),
        sa.Column("to_be_signed", sa.String(71), nullable=False),
        sa.Column("intent_entry", sa.BigInteger, nullable=False),
        sa.Column("outcome_entry", sa.BigInteger, nullable=True),
        sa.Column("seal", sa.String(40), nullable=False),
        sa.Column("agreement", sa.String(40), nullable=False),
        sa.Column("assurance", sa.String(16), nullable=False),
        sa.UniqueConstraint("application", "number", name="uq_attempts_number"),
    )
    op.create_index("ix_attempts_state", "attempts", ["state", "lease_until"])
    op.create_index("ix_attempts_seal", "attempts", ["seal", "state"])
    alive = sa.text("state = 'intended'")
    op.create_index(
        "uq_attempts_alive", "attempts", ["application"], unique=True, sqlite_where=alive, postgresql_where=alive
    )


def _impressions() -> None:
    op.create_table(
        "impressions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("application", sa.String(40), nullable=False, unique=True),
        sa.Column("entry_index", sa.BigInteger, nullable=False, unique=True),
        sa.Column("seal", sa.String(40), nullable=False),
        sa.Column("agreement", sa.String(40), nullable=False),
        sa.Column("grantor", sa.String(18), nullable=False),
        sa.Column("grantee", sa.String(18), nullable=False),
        sa.Column("case_number", sa.String(200), nullable=False),
        sa.Column("source_digest", sa.String(71), nullable=False),
        sa.Column("sealed_digest", sa.String(71), nullable=False),
        sa.Column("local_date", sa.String(10), nullable=False),
        sa.Column("assurance", sa.String(16), nullable=False),
    )
    op.create_index("ix_impressions_seal_date", "impressions", ["seal", "local_date"])
    op.create_index("ix_impressions_agreement_date", "impressions", ["agreement", "local_date"])
    op.create_index("ix_impressions_grantor", "impressions", ["grantor", "entry_index"])
    op.create_index("ix_impressions_grantee", "impressions", ["grantee", "entry_index"])
    op.create_index("ix_impressions_sealed", "impressions", ["sealed_digest"])
