"""Time-stamps for seals: from the embedded authority, or from an outside one that the settings name.

An outside authority is believed only as far as it can be checked: its token is for exactly what was asked, fresh, near
this service's own clock, and by a unit that leads to a configured root. Whether a token can be had is asked before a
seal's key is used.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Final, Protocol

from cryptography import x509

from authority.chain import check_chain, issued_by
from authority.errors import AuthorityError
from authority.timestamp import make_request, token_of
from authority.timestamp_token import TimeStampToken, read_token
from keystore.interface import KeystoreError
from ledger.errors import LedgerError
from outbound.client import OutboundClient
from outbound.errors import OutboundError
from registry.errors import RegistryError
from sealing.errors import InstallationError, SealingError, UnavailableError
from sealing.outside_services import outbound_client, read_credentials, read_roots
from sealing.service_keys import service_key
from sealing.settings import Settings
from sealing.timestamp_authority import grant
from sealing.workshop import Workshop

TOKEN_RESERVE: Final = 10_000
"""Bytes kept in a seal's signature for its token."""
_NONCE_BITS: Final = 64
_TOLERATED: Final = timedelta(minutes=5)
_STILL_THERE: Final = timedelta(seconds=60)
_CAUSES: Final = (KeystoreError, AuthorityError, LedgerError, RegistryError, SealingError)
_REQUEST, _RESPONSE = "application/timestamp-query", "application/timestamp-reply"
_SECONDS: Final = 8.0

Path = tuple[x509.Certificate, ...]
"""Certificates from an end entity's to its root."""


class TimeStamper(Protocol):
    """Somebody who gives time-stamp tokens."""

    @property
    def source(self) -> str:
        """``embedded`` or ``outside``, as the record says."""

    def probe(self, now: datetime) -> Path:
        """The path of the unit that will answer, after a cheap look whether it can. Raises ``UnavailableError``."""

    def token(self, digest: bytes, now: datetime) -> TimeStampToken:
        """A checked token for the SHA-256 ``digest``. Raises ``UnavailableError`` ``timestamp-unavailable``."""


def time_stamper(shop: Workshop) -> TimeStamper:
    """The one that the settings choose. Raises :class:`InstallationError` for files that cannot be used."""
    return _outside(shop.settings) if shop.settings.timestamp_url else _Embedded(shop=shop)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Embedded:
    """The installation's own unit."""

    shop: Workshop
    source: str = "embedded"

    def probe(self, now: datetime) -> Path:
        installation = self.shop.installation
        try:
            self.shop.clock_watch.check(now, None)
            unit = service_key(self.shop, "timestamp", now).certificate
        except _CAUSES as error:
            raise unavailable("timestamp-unavailable", error) from error
        return unit, installation.issuer_certificate, installation.root_certificate

    def token(self, digest: bytes, now: datetime) -> TimeStampToken:
        try:
            return read_token(grant(self.shop, digest, nonce=secrets.randbits(_NONCE_BITS), now=now))
        except _CAUSES as error:
            raise unavailable("timestamp-unavailable", error) from error


@dataclass(slots=True, kw_only=True)
class _Outside:
    """A time-stamp authority (RFC 3161 3.4) under a configured address. Shared by threads."""

    client: OutboundClient
    url: str
    roots: Path
    authorization: str | None = field(repr=False)
    source: str = "outside"
    _seen: tuple[datetime, Path] | None = None
    _lock: Lock = field(default_factory=Lock)

    def probe(self, now: datetime) -> Path:
        with self._lock:
            if self._seen is not None and timedelta(0) <= now - self._seen[0] < _STILL_THERE:
                return self._seen[1]
        return self._remembered(sha256(secrets.token_bytes(32)).digest(), now)[1]

    def token(self, digest: bytes, now: datetime) -> TimeStampToken:
        return self._remembered(digest, now)[0]

    def _remembered(self, digest: bytes, now: datetime) -> tuple[TimeStampToken, Path]:
        try:
            token, path = self._ask(digest, now)
        except (AuthorityError, OutboundError, UnavailableError) as error:
            with self._lock:
                self._seen = None
            raise unavailable("timestamp-unavailable", error) from error
        with self._lock:
            self._seen = (now, path)
        return token, path

    def _ask(self, digest: bytes, now: datetime) -> tuple[TimeStampToken, Path]:
        nonce = secrets.randbits(_NONCE_BITS)
        answer = self.client.post(
            self.url, make_request(digest, nonce=nonce), media_type=_REQUEST, authorization=self.authorization
        )
        if answer.media_type != _RESPONSE:
            raise UnavailableError(
                "timestamp-media-type",
                f"时间戳机构答复的类型为 {answer.media_type[:60]}，应为 {_RESPONSE}",
                f"the time-stamp authority answered {answer.media_type[:60]}, expected {_RESPONSE}",
            )
        token = read_token(token_of(answer.body, digest=digest, nonce=nonce))
        if len(token.der) > TOKEN_RESERVE:  # told by the probe, before a key is used for a signature it does not fit
            raise UnavailableError(
                "timestamp-too-large",
                f"时间戳长 {len(token.der)} 字节，应不超过 {TOKEN_RESERVE} 字节",
                f"the time-stamp has {len(token.der)} bytes, at most {TOKEN_RESERVE} expected",
            )
        if token.weak:
            weak = ", ".join(token.weak)
            raise UnavailableError("timestamp-weak", f"时间戳使用弱算法：{weak}", f"the time-stamp rests on {weak}")
        if abs(token.time - now) > _TOLERATED:
            raise UnavailableError(
                "timestamp-of-another-time",
                f"时间戳时间为 {token.time:%F %T}，本机为 {now:%F %T}（UTC），相差应在 5 分钟以内",
                f"the time-stamp says {token.time:%F %T}, this clock {now:%F %T} UTC; expected within 5 minutes",
            )
        return token, self._path(token, now)

    def _path(self, token: TimeStampToken, now: datetime) -> Path:
        path = build_path(token.signer, token.certificates, self.roots)
        problems = check_chain(path, self.roots, now)
        if problems:
            raise UnavailableError(
                "timestamp-not-trusted",
                f"时间戳机构不可信：{'；'.join(each.zh for each in problems)}",
                f"the time-stamp authority is not trusted: {'; '.join(each.en for each in problems)}",
            )
        return path


@lru_cache(maxsize=8)
def _outside(settings: Settings) -> _Outside:
    roots = read_roots(settings.timestamp_roots)
    if not roots:
        raise InstallationError(
            "no-timestamp-roots",
            "设置了外部时间戳机构，但未设置其根证书（timestamp_roots）",
            "an outside time-stamp authority is set, but not the roots it must lead to (timestamp_roots)",
        )
    return _Outside(
        client=outbound_client(settings, [settings.timestamp_url], seconds=_SECONDS),
        url=settings.timestamp_url,
        roots=roots,
        authorization=read_credentials(settings.timestamp_credentials),
    )


def build_path(leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> Path:
    """From ``leaf`` upwards as far as the certificates reach; a root in the end when one of ``roots`` does."""
    path = [leaf]
    while path[-1] not in roots:
        above = [each for each in (*roots, *others) if each not in path and issued_by(path[-1], each)]
        if not above:
            break
        path.append(above[0])
    return tuple(path)


def unavailable(code: str, error: Exception) -> UnavailableError:
    """What the caller is told: the need that cannot be met, and why."""
    why, zh, en = (str(getattr(error, name, type(error).__name__)) for name in ("code", "zh", "en"))
    return UnavailableError(
        code,
        f"暂时无法取得（{why}）：{zh}；请稍后以同一幂等键重试",
        f"cannot be had now ({why}): {en}; retry later with the same idempotency key",
    )
