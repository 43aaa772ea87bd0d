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

pending_approvals = Table(
    "pending_approvals",
    metadata,
    Column("handle", String(64), primary_key=True),  # SHA-256 of what the browser holds
    Column("person", String(40), nullable=False),
    Column("applications", Text, nullable=False),
    Column("claims", Text, nullable=False),
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

used_token_ids = Table(
    "used_token_ids",
    metadata,
    Column("issuer", String(40), primary_key=True),
    Column("jti", String(200), primary_key=True),
    Column("expires", String(32), nullable=False),
)
