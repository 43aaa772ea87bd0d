"""The tables of the registry: one a kind of record, all made alike, and two that hold what may be used once.

Not trusted for integrity: whoever writes here by hand changes a row that no longer fits its ledger entry,
and the next use of the row is refused (`registry.store`).
"""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from ledger.tables import metadata
from registry.kinds import KINDS, Kind
from registry.record import Record


def _make(kind: Kind) -> Table:
    table = Table(
        f"registry_{kind.name}",
        metadata,
        Column("id", String(40), primary_key=True),
        Column("version", Integer, nullable=False),
        Column("body", Text, nullable=False),  # canonical JSON
        Column("digest", String(71), nullable=False),
        Column("entry_index", BigInteger, nullable=False),
        *(Column(name, Text, nullable=True) for name in kind.lookups),
    )
    for group in kind.unique:
        Index(f"uq_{table.name}_{'_'.join(group)}", *(table.c[name] for name in group), unique=True)
    for name in kind.lookups:
        if (name,) not in kind.unique:
            Index(f"ix_{table.name}_{name}", table.c[name])
    return table


TABLES: Mapping[type[Record], Table] = {model: _make(kind) for model, kind in KINDS.items()}

reserved_numbers = Table(
    "registry_reserved_numbers",
    metadata,
    Column("application", String(40), primary_key=True),
    Column("name", String(20), primary_key=True),  # document_number or licence_number
    Column("grantor", String(18), nullable=False),
    Column("lineage", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("copy", String(20), nullable=False),
    Column("key", Text, nullable=False),  # policies.folding.number_key
    Column("given", Text, nullable=False),
    Column("recurrence", String(40), nullable=False),  # "" for the first holder, else the application
    Column("case_number", Text, nullable=False),
)
Index(
    "uq_registry_reserved_numbers",
    *(reserved_numbers.c[name] for name in ("grantor", "lineage", "key", "name", "kind", "copy", "recurrence")),
    unique=True,
)

number_handles = Table(
    "registry_number_handles",
    metadata,
    Column("lineage", String(40), primary_key=True),
    Column("handle", String(70), primary_key=True),  # registry.numbers: finds a number by its runs of digits
    Column("application", String(40), primary_key=True),
    Column("name", String(20), primary_key=True),
)
Index("ix_registry_number_handles_application", number_handles.c.application)

consumed_approvals = Table(
    "registry_consumed_approvals",
    metadata,
    Column("approval", String(40), primary_key=True),
    Column("document", String(71), primary_key=True),  # digest that its manifest line names
    Column("application", String(40), nullable=False),
)
