"""Tables of the seal cycle: applications, their attempts, and where each impression is in the record."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from ledger.tables import metadata

applications = Table(
    "applications",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("client", String(40), nullable=False),
    Column("organ", String(18), nullable=False),
    Column("idempotency_key", String(200), nullable=False),
    Column("request_digest", String(71), nullable=False),
    Column("order_json", Text, nullable=False),
    Column("document", String(71), nullable=False),
    Column("approval", Text, nullable=True),
    Column("state", String(12), nullable=False),  # waiting, open, sealed, refused, rejected, withdrawn
    Column("received_at", String(32), nullable=False),
    Column("entry_index", BigInteger, nullable=True),  # entry of the outcome
    Column("impression", String(40), nullable=True),
    UniqueConstraint("client", "organ", "idempotency_key", name="uq_applications_idempotency"),
    Index("ix_applications_organ", "organ", "state", "received_at"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", String(40), nullable=False),
    Column("organ", String(18), nullable=False),
    Column("document", String(71), nullable=False),
    Column("name", String(200), nullable=False),
    Column("fields", Text, nullable=False),
    Column("changed", String(32), nullable=False),
    Index("ix_drafts_person", "person", "changed"),
)

pending_statements = Table(
    "pending_statements",
    metadata,
    Column("handle", String(64), primary_key=True),  # SHA-256 of what the browser holds
    Column("person", String(40), nullable=False),
    Column("typ", String(60), nullable=False),
    Column("payload", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("expires", String(32), nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("application", String(40), ForeignKey("applications.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # intended, sealed, abandoned
    Column("lease_until", String(32), nullable=False),
    Column("to_be_signed", String(71), nullable=False),
    Column("intent_entry", BigInteger, nullable=False),
    Column("outcome_entry", BigInteger, nullable=True),
    Column("seal", String(40), nullable=False),
    Column("agreement", String(40), nullable=False),
    Column("assurance", String(16), nullable=False),
    UniqueConstraint("application", "number", name="uq_attempts_number"),
    Index("ix_attempts_state", "state", "lease_until"),
    Index("ix_attempts_seal", "seal", "state"),
)
Index(
    "uq_attempts_alive",  # an application has one living attempt at most
    attempts.c.application,
    unique=True,
    sqlite_where=text("state = 'intended'"),
    postgresql_where=text("state = 'intended'"),
)

impressions = Table(
    "impressions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("application", String(40), nullable=False, unique=True),
    Column("entry_index", BigInteger, nullable=False, unique=True),
    Column("seal", String(40), nullable=False),
    Column("agreement", String(40), nullable=False),
    Column("grantor", String(18), nullable=False),
    Column("grantee", String(18), nullable=False),
    Column("case_number", String(200), nullable=False),
    Column("source_digest", String(71), nullable=False),
    Column("sealed_digest", String(71), nullable=False),
    Column("local_date", String(10), nullable=False),  # date in Beijing time, for daily caps
    Column("impressed_at", String(27), nullable=False, server_default=""),  # time of the entry, for bursts
    Column("assurance", String(16), nullable=False),
    Index("ix_impressions_seal_date", "seal", "local_date"),
    Index("ix_impressions_seal_time", "seal", "impressed_at"),
    Index("ix_impressions_agreement_date", "agreement", "local_date"),
    Index("ix_impressions_grantor", "grantor", "entry_index"),
    Index("ix_impressions_grantee", "grantee", "entry_index"),
    Index("ix_impressions_sealed", "sealed_digest"),
)

# What the usage register is found and counted by (sealing.register_lines): no names, nothing its entries do not tell.
# Numbers are searched by prefix, so their order must be that of code points.
_Bytewise = String(200).with_variant(String(200, collation="C"), "postgresql")
register_lines = Table(
    "register_lines",
    metadata,
    Column("entry_index", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("local_date", String(10), nullable=False),
    Column("grantor", String(18), nullable=False),
    Column("grantee", String(18), nullable=False),
    Column("seal", String(40), nullable=False),
    Column("item", String(20), nullable=False),
    Column("case_key", _Bytewise, nullable=False),
    Column("document_key", _Bytewise, nullable=False),
    Column("licence_key", _Bytewise, nullable=False),
    Column("seconds", BigInteger, nullable=True),  # from the application to the seal
    Index("ix_register_lines_date", "local_date"),
    Index("ix_register_lines_grantor", "grantor", "kind", "entry_index"),
    Index("ix_register_lines_grantee", "grantee", "kind", "entry_index"),
    Index("ix_register_lines_seal", "seal", "entry_index"),
    Index("ix_register_lines_item", "item", "entry_index"),
    Index("ix_register_lines_case", "case_key", "entry_index"),
    Index("ix_register_lines_document", "document_key", "entry_index"),
    Index("ix_register_lines_licence", "licence_key", "entry_index"),
)

register_rules = Table(
    "register_rules",
    metadata,
    Column("rule", String(60), primary_key=True),
    Column("entry_index", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Index("ix_register_rules_entry", "entry_index"),
    sqlite_with_rowid=False,
)

used_token_ids = Table(
    "used_token_ids",
    metadata,
    Column("issuer", String(40), primary_key=True),
    Column("jti", String(200), primary_key=True),
    Column("expires", String(32), nullable=False),
)
