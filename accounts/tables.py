"""The tables of accounts. No password, token, code or TOTP secret stands in them in clear.

Times are texts of ``ledger.moments.to_text``. What opens something is found by the SHA-256 digest of what its
holder keeps. Persons are not referenced by foreign key: the registry's rows are checked against the ledger instead.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from ledger.tables import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("person", String(40), primary_key=True),  # registry.persons.Person
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),  # policies.folding.fold
    Column("password", Text, nullable=False),  # argon2id, PHC string
    Column("totp", LargeBinary, nullable=True),  # sealed, accounts.totp
    Column("totp_step", BigInteger, nullable=False),  # the last one used; 0 before the first
    Column("failed", Integer, nullable=False),
    Column("locked_until", String(27), nullable=True),
    Column("hold_until", String(27), nullable=True),  # approvals are held until then
    Column("state", String(8), nullable=False),  # open, closed
    Column("created", String(27), nullable=False),
)

passkeys = Table(
    "account_passkeys",
    metadata,
    Column("credential", LargeBinary(1023), primary_key=True),  # longest by WebAuthn
    Column("person", String(40), nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # COSE_Key
    Column("sign_count", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("created", String(27), nullable=False),
    Column("last_used", String(27), nullable=True),
    Index("ix_account_passkeys_person", "person"),
)

challenges = Table(
    "challenges",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # of the handle
    Column("purpose", String(32), nullable=False),
    Column("challenge", LargeBinary, nullable=False),
    Column("person", String(40), nullable=True),
    Column("expires", String(27), nullable=False),
    Index("ix_challenges_expires", "expires"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # of the token
    Column("person", String(40), nullable=False),
    Column("created", String(27), nullable=False),
    Column("last_seen", String(27), nullable=False),
    Column("expires", String(27), nullable=False),
    Column("factors", String(32), nullable=False),  # password, password+totp, password+passkey, passkey
    Column("csrf_secret", LargeBinary(32), nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("ix_sessions_person", "person"),
    Index("ix_sessions_expires", "expires"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", String(40), nullable=True),  # None: the name given is nobody's; it is not kept
    Column("time", String(27), nullable=False),
    Column("how", String(16), nullable=False),  # password, totp, passkey
    Column("outcome", String(24), nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("ix_sign_ins_person", "person", "time"),
    Index("ix_sign_ins_time", "time"),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # of the code
    Column("person", String(40), nullable=False),
    Column("purpose", String(8), nullable=False),  # open, recover
    Column("made_by", String(40), nullable=False),
    Column("made", String(27), nullable=False),
    Column("expires", String(27), nullable=False),
    Column("used", String(27), nullable=True),
    Index("ix_enrolments_person", "person"),
)

offered_passkeys = Table(
    "offered_passkeys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", String(40), nullable=False),
    Column("rp_id", String(255), nullable=False),
    Column("origin", String(300), nullable=False),
    Column("credential_id", String(1400), nullable=False),  # base64url
    Column("public_key", LargeBinary, nullable=False),  # SubjectPublicKeyInfo
    Column("made", String(27), nullable=False),
    Column("state", String(10), nullable=False),  # offered, confirmed
    Index("ix_offered_passkeys_person", "person", "state"),
)
