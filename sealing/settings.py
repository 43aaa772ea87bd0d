"""One typed settings object, strict, checked at start; unsafe choices have unsafe names."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "YINXIN_"
MEGABYTE = 1_000_000


class Settings(BaseSettings):
    """Everything an operator may choose; each is the environment variable ``YINXIN_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data: Path = Path("data")
    """Folder of keys, documents and, by default, the database."""

    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in the data folder."""

    keystore: str = ""
    """Keystore URI; empty means ``file:`` in the data folder."""

    key_encryption_key: Path | None = None
    """File of 32 bytes, 0600; by default in the data folder's ``secret``."""

    log_origin: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(/[a-z0-9.-]+)*$", max_length=120)] = "yinxin.example/log"
    """Name of the ledger; it stands in every checkpoint and seal certificate and never changes."""

    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] = "http://127.0.0.1:8420"
    """Scheme and authority under which others reach this service; used in CRL distribution points."""

    approval_url: Annotated[str, Field(pattern=r"^(https?://[^/\s]+)?$")] = ""
    """Scheme and authority of the pages where principals approve, served by the same processes under another host name
    than ``public_url``, so that no sign-in can be taken for an approval; empty means ``approve.`` before its host."""

    licensed_roots: Path | None = None
    """PEM file with the roots of licensed certification authorities; without it no outside certificate is taken."""

    timestamp_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Outside time-stamp authority (RFC 3161); empty means the embedded one."""
    timestamp_roots: Path | None = None
    """PEM file with the roots that the outside time-stamp authority must lead to."""
    timestamp_credentials: Path | None = None
    """File (0600) with the value of the Authorization header for the outside time-stamp authority."""
    revocation_urls: tuple[str, ...] = ()
    """Where revocation lists of outside authorities are fetched."""
    ocsp_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """OCSP responder of the outside authority that issues licensed seal certificates."""

    outbound_networks: tuple[str, ...] = ()
    """Private networks (CIDR) in which configured hosts may stand; without it only public addresses are called."""
    outbound_roots: Path | None = None
    """PEM file of TLS roots for outbound calls; by default those of the system."""
    unsafe_outbound_http: bool = False
    """Tests only: outbound calls may go over plain http."""

    time_sources: tuple[str, ...] = ()
    """NTP hosts; with two or more, no time-stamp is given when the clock is over 2 s from two of them."""

    witnesses: Path | None = None
    """File with one witness a line: verifier key (C2SP signed-note, cosignature/v1), blank, URL."""
    witnesses_needed: Annotated[int, Field(ge=0, le=64)] = 0
    """Cosignatures without which no receipt is given out."""

    verification_rate: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}/(second|minute|hour)$")] = "60/minute"
    """Verifications, OCSP requests and time-stamps one address may ask for, each counted apart."""
    max_verification_bytes: Annotated[int, Field(ge=1_000, le=1_000 * MEGABYTE)] = 50 * MEGABYTE
    """Bytes of one file that anybody may ask a verdict on."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies whose X-Forwarded-For names the caller."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8420
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Server processes; each seals in one thread."""

    max_pdf_bytes: Annotated[int, Field(ge=1_000, le=1_000 * MEGABYTE)] = 100 * MEGABYTE

    sandbox_workers: Annotated[int, Field(ge=1, le=64)] = 2
    sandbox_memory: Annotated[int, Field(ge=128 * MEGABYTE)] = 512 * MEGABYTE
    """Bytes of address space for one worker process."""
    sandbox_seconds: Annotated[float, Field(gt=0, le=600)] = 5.0
    """Seconds for one document of up to 10 MB; larger ones get time in proportion."""

    lease: timedelta = timedelta(seconds=60)
    """How long an attempt may take before recovery may take it."""
    waiting: Annotated[int, Field(ge=1, le=10_000)] = 32
    """Orders that may wait for the sealing thread before callers are told to come back."""

    tolerated_fonts: tuple[str, ...] = ()
    """PostScript names of fonts that need not be embedded. Each is a risk: readers draw their own."""

    burst_floor: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    """Uses of one seal in one hour that are never a burst; a seal may have a floor of its own."""
    burst_factor: Annotated[int, Field(ge=1, le=1_000)] = 3
    """How many times the uses of its busiest hour of the last 30 days a seal may have in one hour without an alert."""

    token_lifetime: timedelta = timedelta(minutes=10)
    log_format: Literal["json", "console"] = "json"

    custody: str = ""
    """Where the custody process listens: a socket's path or ``tls://host:port``; empty means one started on demand."""
    custody_tls: Path | None = None
    """Folder with ``certificate.pem``, ``key.pem`` and ``roots.pem`` for a custody process on another host."""
    custody_pins: Literal["recorded", "listed"] = "recorded"
    """Which approval keys the custody process believes: those whose registration it saw, or only those listed to it."""
    custody_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Seconds that one key use may take, waiting included."""
    unsafe_in_process_keys: bool = False
    """Demo and tests only: private keys are held by the process that serves, without a custody process."""

    unsafe_kill_at: str | None = None
    """Crash tests only: the step of the seal cycle at which the process kills itself."""

    @model_validator(mode="after")
    def _no_unknown_names(self) -> Self:
        known = {PREFIX + name.upper() for name in type(self).model_fields}
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            message = f"未知的设置 / unknown settings: {', '.join(unknown)}; 可用 / known: {', '.join(sorted(known))}"
            raise ValueError(message)
        return self

    @property
    def database(self) -> str:
        """The SQLAlchemy URL that is really used."""
        return self.database_url or f"sqlite:///{(self.data / 'yinxin.db').absolute()}"

    @property
    def key_encryption_key_path(self) -> Path:
        """The key-encryption key file that is really used."""
        return self.key_encryption_key or self.data / "secret" / "key-encryption-key"

    @property
    def keystore_uri(self) -> str:
        """The keystore URI that is really used."""
        return self.keystore or f"file:{(self.data / 'keys').absolute()}"
