"""The tables of the record, and the one MetaData that every table of the system is registered in.

Not trusted for integrity: whoever can write here can change any row, but not without breaking a hash that a
signed checkpoint covers, or an opening that a leaf committed to. No foreign keys between these tables: they
would cost every append a look-up and guard against nobody who can write SQL; the audit compares the tables
instead.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite: INTEGER PRIMARY KEY is the row id itself

entries = Table(
    "ledger_entries",
    metadata,
    Column("index", _Number, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("time", String(27), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
)

subjects = Table(
    "ledger_subjects",
    metadata,
    Column("subject", String(40), primary_key=True),
    Column("index", _Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

openings = Table(
    "ledger_openings",
    metadata,
    Column("index", _Number, primary_key=True, autoincrement=False),
    Column("group", Text, primary_key=True),
    Column("salt", LargeBinary(32), nullable=True),
    Column("value", LargeBinary, nullable=True),  # canonical JSON
    Column("erased_by", _Number, nullable=True),  # index of the entry that records the erasure
    sqlite_with_rowid=False,
)

head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", _Number, nullable=False),
    Column("range", LargeBinary, nullable=False),  # merkle.CompactRange.to_bytes
    Column("time", String(27), nullable=True),  # of the last entry
    CheckConstraint("id = 1", name="ck_ledger_head_one_row"),
)

nodes = Table(
    "ledger_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", _Number, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

cosignatures = Table(
    "ledger_cosignatures",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("witness", String(300), primary_key=True),  # its verifier key
    Column("line", Text, nullable=False),
    Column("time", String(27), nullable=False),  # by the witness's clock
)

checkpoint_tokens = Table(
    "ledger_checkpoint_tokens",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("token", LargeBinary, nullable=False),  # RFC 3161, over SHA-256 of the checkpoint's text
    Column("time", String(27), nullable=False),  # when it was asked for
)

witnesses = Table(
    "ledger_witnesses",
    metadata,
    Column("witness", String(300), primary_key=True),  # its verifier key
    Column("asked", String(27), nullable=False),
    Column("outcome", String(40), nullable=False),  # "cosigned" or the code of what went wrong
    Column("size", _Number, nullable=True),  # of the largest tree it says it has cosigned
)

checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("time", String(27), nullable=False),
)
