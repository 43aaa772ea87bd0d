"""Accounts of persons: passwords, passkeys, challenges, sessions, tries to sign in, one-time codes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(27), nullable=nullable)


def _person(*, nullable: bool = False) -> sa.Column[str]:
    return sa.Column("person", sa.String(40), nullable=nullable)


def _digest() -> sa.Column[bytes]:
    return sa.Column("digest", sa.LargeBinary(32), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    _ways_in()
    _uses()


def _ways_in() -> None:
    op.create_table(
        "accounts",
        sa.Column("person", sa.String(40), primary_key=True),
        _text("name"),
        sa.Column("name_key", sa.Text(), nullable=False, unique=True),
        _text("password"),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        _moment("locked_until", nullable=True),
        _moment("hold_until", nullable=True),
        sa.Column("state", sa.String(8), nullable=False),
        _moment("created"),
    )
    op.create_table(
        "account_passkeys",
        sa.Column("credential", sa.LargeBinary(1023), primary_key=True),
        _person(),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        _text("label"),
        _moment("created"),
        _moment("last_used", nullable=True),
    )
    op.create_index("ix_account_passkeys_person", "account_passkeys", ["person"])
    op.create_table(
        "enrolments",
        _digest(),
        _person(),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("made_by", sa.String(40), nullable=False),
        _moment("made"),
        _moment("expires"),
        _moment("used", nullable=True),
    )
    op.create_index("ix_enrolments_person", "enrolments", ["person"])


def _uses() -> None:
    op.create_table(
        "challenges",
        _digest(),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        _person(nullable=True),
        _moment("expires"),
    )
    op.create_index("ix_challenges_expires", "challenges", ["expires"])
    op.create_table(
        "sessions",
        _digest(),
        _person(),
        _moment("created"),
        _moment("last_seen"),
        _moment("expires"),
        sa.Column("factors", sa.String(32), nullable=False),
        sa.Column("csrf_secret", sa.LargeBinary(32), nullable=False),
        _text("address"),
        _text("browser"),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(40), primary_key=True),
        _person(nullable=True),
        _moment("time"),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        _text("address"),
        _text("browser"),
    )
    op.create_index("ix_sign_ins_person", "sign_ins", ["person", "time"])
    op.create_index("ix_sign_ins_time", "sign_ins", ["time"])


def downgrade() -> None:
    """Drop the tables; what was recorded of accounts stays in the ledger."""
    for name in ("sign_ins", "sessions", "challenges", "enrolments", "account_passkeys", "accounts"):
        op.drop_table(name)
