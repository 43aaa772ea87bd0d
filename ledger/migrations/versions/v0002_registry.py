"""The tables of the registry: one a kind of record, numbers in use, and used approvals."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LOOKUPS: dict[str, tuple[str, ...]] = {
    "organ": ("code", "region", "legal_name"),
    "organ_key": ("organ",),
    "person": ("natural_person",),
    "role_assignment": ("person", "organ", "role"),
    "person_key": ("person",),
    "client": ("state",),
    "client_approval_key": ("client",),
    "agreement": ("number", "grantor", "grantee", "state"),
    "seal": ("owner", "agreement", "state", "taken_number"),
    "seal_key": ("seal", "key_version", "serial", "current"),
    "catalogue_item": ("list", "number"),
    "setup_row": ("regime", "region"),
    "pilot_region": ("list", "number", "region"),
    "document_status": ("impression", "status"),
    "calendar_day": ("date", "year"),
}
_UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {
    "organ": (("code",),),
    "agreement": (("number",),),
    "seal": (("owner", "taken_number"),),
    "seal_key": (("seal", "key_version"), ("seal", "current"), ("serial",)),
}
_NUMBER_SCOPE = ["grantor", "lineage", "key", "name", "kind", "copy", "recurrence"]


def upgrade() -> None:
    """Make the tables."""
    for kind, lookups in _LOOKUPS.items():
        _make_kind(f"registry_{kind}", lookups, _UNIQUE.get(kind, ()))
    op.create_table(
        "registry_reserved_numbers",
        sa.Column("application", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("grantor", sa.String(18), nullable=False),
        sa.Column("lineage", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("copy", sa.String(20), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("recurrence", sa.String(40), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
    )
    op.create_index("uq_registry_reserved_numbers", "registry_reserved_numbers", _NUMBER_SCOPE, unique=True)
    op.create_table(
        "registry_number_handles",
        sa.Column("lineage", sa.String(40), primary_key=True),
        sa.Column("handle", sa.String(70), primary_key=True),
        sa.Column("application", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(20), primary_key=True),
    )
    op.create_index("ix_registry_number_handles_application", "registry_number_handles", ["application"])
    op.create_table(
        "registry_consumed_approvals",
        sa.Column("approval", sa.String(40), primary_key=True),
        sa.Column("document", sa.String(71), primary_key=True),
        sa.Column("application", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables; what was recorded about their rows stays in the ledger."""
    op.drop_table("registry_consumed_approvals")
    op.drop_table("registry_number_handles")
    op.drop_table("registry_reserved_numbers")
    for kind in _LOOKUPS:
        op.drop_table(f"registry_{kind}")


def _make_kind(table: str, lookups: tuple[str, ...], unique: tuple[tuple[str, ...], ...]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in lookups),
    )
    for group in unique:
        op.create_index(f"uq_{table}_{'_'.join(group)}", table, list(group), unique=True)
    for name in lookups:
        if (name,) not in unique:
            op.create_index(f"ix_{table}_{name}", table, [name])
