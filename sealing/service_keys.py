"""The service's own keys and their certificates: made, renewed in time, and revoked when one is suspect.

A certificate is intended in one transaction, signed outside any, and recorded in the next, as a seal's is. Several
processes may renew at once: each records only if nobody else did since its intent, and drops its own certificate
otherwise.
"""

import logging
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Final, Literal, Protocol, get_args

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from authority.errors import AuthorityError
from authority.issue import new_serial
from authority.service_certificates import PROFILES, ServiceDraft, make_service_certificate
from keystore.interface import Keystore, KeystoreError, SigningKey
from ledger.book import Book
from ledger.database import Database
from ledger.entry import Draft
from ledger.errors import LedgerError
from ledger.ids import new_id
from registry.errors import TransitionError
from registry.record import build
from registry.records import ServiceKey
from registry.service_keys import ServicePurpose
from registry.store import Act, Actor, Registry, Stored
from sealing.errors import InstallationError
from sealing.grounds import intent_grounds
from sealing.installation import Installation, issued_places
from sealing.settings import Settings

INTENDED: Final = "service_certificate.intended"
PURPOSES: Final[tuple[ServicePurpose, ...]] = get_args(ServicePurpose)
ServiceKeyReason = Literal["key_compromise", "superseded", "cessation_of_operation"]
"""Why a service key is revoked; there is no hold, since nobody could tell which of its answers to believe later."""

_SERVICE = "印信服务 Yinxin service"
_WHY = "服务证书由服务自动签发 / the service makes its own certificates"
_CLOCK_SKEW = timedelta(minutes=5)
_log = logging.getLogger("sealing")
_renewing = Lock()


class Premises(Protocol):
    """The parts of a workshop that service keys need; they are there before its workers are."""

    @property
    def settings(self) -> Settings:
        """What the operator chose."""

    @property
    def installation(self) -> Installation:
        """The embedded authority and its keys."""

    @property
    def database(self) -> Database:
        """Where the record is."""

    @property
    def keystore(self) -> Keystore:
        """Where the keys are."""

    @property
    def book(self) -> Book:
        """The record."""

    @property
    def registry(self) -> Registry:
        """The records of service keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedKey:
    """A service key ready for use. ``chain`` is DER, the key's own certificate first, without the root."""

    handle: SigningKey
    certificate: x509.Certificate
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intended:
    draft: ServiceDraft
    key: SigningKey
    entry: int  # of the intent
    replaces: str | None  # id of the record that was present when this was intended


def service_key(shop: Premises, purpose: ServicePurpose, now: datetime) -> OpenedKey:
    """The present key for ``purpose``; renewed first when half of its certificate's life is over.

    Called outside any transaction. A renewal that fails while the certificate still holds is logged, and tried again
    at the next use. Raises ``registry``, ``ledger``, ``authority`` and ``keystore`` errors.
    """
    present = _present(shop, purpose)
    if present is None or not _holds(present.record, now):
        with _renewing:
            renew_service_keys(shop, now, (purpose,))
        present = _present(shop, purpose)
    elif _is_due(shop, present.record, now) and _renewing.acquire(blocking=False):
        try:
            renew_service_keys(shop, now, (purpose,))
            present = _present(shop, purpose)
        except (KeystoreError, AuthorityError, LedgerError) as error:
            _log.warning("the certificate of the %s key was not renewed: %s", purpose, error)
        finally:
            _renewing.release()
    if present is None:
        raise InstallationError("service-key-missing", f"没有 {purpose} 密钥", f"there is no {purpose} key")
    return _opened(shop, present.record)


def renew_service_keys(shop: Premises, now: datetime, purposes: Sequence[ServicePurpose] = PURPOSES) -> None:
    """Make the keys that are missing, and renew those whose certificate is past half of its life. Raises as above."""
    with shop.database.read() as connection:
        due = [purpose for purpose in purposes if _needs_one(connection, shop, purpose, now)]
    if not due:
        return
    keys = {purpose: shop.keystore.generate(purpose, "ecdsa-p256-sha256") for purpose in due}
    with shop.database.write() as connection:
        shop.book.hold(connection)
        intended = [
            _intend(connection, shop, purpose, key, now)
            for purpose, key in keys.items()
            if _needs_one(connection, shop, purpose, now)
        ]
    certificates = [(each, _make(shop, each, now)) for each in intended]
    with shop.database.write() as connection:
        shop.book.hold(connection)
        for each, certificate in certificates:
            _record(connection, shop, each, certificate, now)


def revoke_service_key(shop: Premises, serial: str, reason: ServiceKeyReason, act: Act) -> Stored[ServiceKey]:
    """Revoke the service certificate with this serial (lower-case hexadecimal); the next use makes a new key.

    Raises ``registry.errors.NotFoundError``, ``TransitionError`` when it is revoked already.
    """
    with shop.database.write() as connection:
        shop.book.hold(connection)
        found = shop.registry.find_one(connection, ServiceKey, serial=serial)
        if found.record.revoked_at is not None:
            raise TransitionError(
                "revoked-already", f"证书 {serial} 已吊销", f"certificate {serial} is revoked already"
            )
        changed = {"revoked_at": act.now, "revoked_reason": reason, "retired_at": found.record.retired_at or act.now}
        revoked = build(ServiceKey, **{**dict(found.record), **changed})
        return _put(connection, shop, revoked, act, verb="revoked", replaces=found)


def certificates(shop: Premises) -> list[x509.Certificate]:
    """All service certificates that were ever released, the newest first."""
    with shop.database.read() as connection:
        records = [found.record for found in shop.registry.find(connection, ServiceKey)]
    records.sort(key=lambda each: each.not_before, reverse=True)
    return [x509.load_der_x509_certificate(b64decode(each.chain[0])) for each in records]


def _present(shop: Premises, purpose: ServicePurpose) -> Stored[ServiceKey] | None:
    with shop.database.read() as connection:
        return shop.registry.look_one(connection, ServiceKey, purpose=purpose, current=True)


def _holds(record: ServiceKey, now: datetime) -> bool:
    return record.revoked_at is None and record.not_before <= now < record.not_after


def _is_due(shop: Premises, record: ServiceKey, now: datetime) -> bool:
    """Past half of its life, unless a new one would end no later: then the issuer itself must be renewed."""
    half = record.not_before + (record.not_after - record.not_before) / 2
    return now >= half and record.not_after < shop.installation.issuer_certificate.not_valid_after_utc


def _needs_one(connection: Connection, shop: Premises, purpose: ServicePurpose, now: datetime) -> bool:
    present = shop.registry.look_one(connection, ServiceKey, purpose=purpose, current=True)
    return present is None or not _holds(present.record, now) or _is_due(shop, present.record, now)


def _intend(
    connection: Connection, shop: Premises, purpose: ServicePurpose, key: SigningKey, now: datetime
) -> _Intended:
    present = shop.registry.look_one(connection, ServiceKey, purpose=purpose, current=True)
    issuer = shop.installation.issuer_certificate
    draft = ServiceDraft(
        service=purpose,
        public_key=key.public_key,
        serial=new_serial(),
        not_before=max(now - _CLOCK_SKEW, issuer.not_valid_before_utc),
        not_after=min(now - _CLOCK_SKEW + PROFILES[purpose].life, issuer.not_valid_after_utc),
    )
    intent = {
        "purpose": purpose,
        "serial": f"{draft.serial:x}",
        "key": key.ref,
        "public_key": b64encode(key.public_key).decode(),
    }
    entry = shop.book.append(
        connection, Draft(kind=INTENDED, subjects=(new_id("cer"),), groups={"certificate": intent}), now
    )
    return _Intended(draft=draft, key=key, entry=entry.index, replaces=present.record.id if present else None)


def _make(shop: Premises, intended: _Intended, now: datetime) -> x509.Certificate:
    """Sign the certificate; called outside any transaction."""
    issuer_key = shop.keystore.open(shop.installation.issuer_key)
    return make_service_certificate(
        shop.installation.issuer_certificate,
        issuer_key,
        intended.draft,
        places=issued_places(shop.settings.public_url),
        grounds=intent_grounds(shop, issuer_key, intent=intended.entry, group="certificate", now=now),
    )


def _record(
    connection: Connection, shop: Premises, intended: _Intended, certificate: x509.Certificate, now: datetime
) -> None:
    """Make it the present one, unless another process renewed since the intent: then it never leaves."""
    purpose = intended.draft.service
    present = shop.registry.look_one(connection, ServiceKey, purpose=purpose, current=True)
    if (present.record.id if present else None) != intended.replaces:
        return
    act = Act(by=Actor(id=shop.installation.id, name=_SERVICE, organ=None), why=_WHY, now=now)
    if present is not None:
        retired = build(ServiceKey, **{**dict(present.record), "retired_at": now})
        _put(connection, shop, retired, act, verb="retired", replaces=present)
    chain = (certificate, shop.installation.issuer_certificate)
    record = build(
        ServiceKey,
        id=new_id("svk"),
        purpose=purpose,
        key_ref=intended.key.ref,
        chain=tuple(b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
    _put(connection, shop, record, act, verb="certified")


def _put(
    connection: Connection,
    shop: Premises,
    record: ServiceKey,
    act: Act,
    *,
    verb: str,
    replaces: Stored[ServiceKey] | None = None,
) -> Stored[ServiceKey]:
    return shop.registry.put(connection, record, by=act.by, why=act.why, now=act.now, verb=verb, replaces=replaces)


def _opened(shop: Premises, record: ServiceKey) -> OpenedKey:
    chain = _chain(record.chain)
    return OpenedKey(handle=shop.keystore.open(record.key_ref), certificate=_certificate(chain[0]), chain=chain)


@lru_cache(maxsize=64)
def _chain(encoded: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(b64decode(each) for each in encoded)


@lru_cache(maxsize=64)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)
