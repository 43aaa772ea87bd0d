"""The embedded authority's OCSP responder: good only for what the ledger knows (RFC 6960, RFC 5019).

An answer to a request with a nonce is always made anew. Others are kept for half an hour at most, by their bytes, and
dropped by any change of a key, since what the registry says is asked each time.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from cryptography import x509
from sqlalchemy import Connection

from authority.errors import AuthorityError, OcspRequestError
from authority.ocsp import (
    Answer,
    AskedCertificate,
    Failure,
    Responder,
    make_response,
    read_request,
    refusal,
    request_about,
)
from authority.revocation import Revoked
from keystore.interface import KeystoreError
from ledger.errors import DatabaseError, LedgerError
from registry.errors import RegistryError
from registry.records import SealKey, ServiceKey
from sealing.errors import InstallationError
from sealing.revocation import State, key_state, revoked_as
from sealing.service_keys import service_key
from sealing.workshop import Workshop

LIFE: Final = timedelta(hours=1)
"""From one update to the next."""
_KEPT_FOR: Final = LIFE / 2
_MOST_KEPT: Final = 10_000
_log = logging.getLogger("sealing")


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspAnswer:
    """An OCSPResponse, DER. ``until`` is its next update when it may be kept by caches, else None."""

    der: bytes
    made: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    state: State
    answer: OcspAnswer


_kept: dict[tuple[str, str, bytes], _Kept] = {}
_lock = Lock()


def respond(shop: Workshop, request_der: bytes, now: datetime) -> bytes:
    """The OCSPResponse, DER, to a request from anybody; a failure is a response too."""
    return answer(shop, request_der, now).der


def answer(shop: Workshop, request_der: bytes, now: datetime) -> OcspAnswer:
    """As :func:`respond`, with what HTTP caches are told (RFC 5019 6)."""
    try:
        request = read_request(request_der)
        ours = [each.issued_by(shop.installation.issuer_certificate) for each in request.asked]
        if not any(ours):  # RFC 6960 2.3: this responder does not speak for that issuer
            return _refused("unauthorized", now)
        with shop.database.read() as connection:
            state = key_state(connection)
            place = (shop.installation.id, shop.settings.database, request_der)
            kept = None if request.nonce is not None else _fresh(place, state, now)
            if kept is not None:
                return kept
            statuses = [_status(connection, shop, each) for each in request.asked]
        made = _make(shop, statuses, nonce=request.nonce, now=now)
    except OcspRequestError:
        return _refused("malformedRequest", now)
    except DatabaseError:
        return _refused("tryLater", now)
    except (AuthorityError, KeystoreError, LedgerError, RegistryError, InstallationError):
        _log.exception("an OCSP request could not be answered")
        return _refused("internalError", now)
    if request.nonce is None:
        _keep(place, _Kept(state=state, answer=made))
    return made


def answer_for(shop: Workshop, certificate: x509.Certificate, now: datetime) -> bytes:
    """A fresh OCSPResponse, DER, about one certificate of the embedded issuer, to be kept in a document.

    Called outside any transaction. Raises ``registry``, ``ledger``, ``authority`` and ``keystore`` errors.
    """
    asked = request_about(certificate, shop.installation.issuer_certificate)
    with shop.database.read() as connection:
        status = _status(connection, shop, asked)
    return _make(shop, [status], nonce=None, now=now).der


def _status(connection: Connection, shop: Workshop, asked: AskedCertificate) -> Answer:
    """Good or revoked as the registry says, whose rows the ledger vouches for; anything else is unknown."""
    if not asked.issued_by(shop.installation.issuer_certificate):
        return Answer(asked=asked, status="unknown")
    key = _key(connection, shop, f"{asked.serial:x}")
    if key is None:
        return Answer(asked=asked, status="unknown")
    return Answer(asked=asked, status=revoked_as(key) or "good")


def _key(connection: Connection, shop: Workshop, serial: str) -> SealKey | ServiceKey | None:
    seal_key = shop.registry.look_one(connection, SealKey, serial=serial)
    if seal_key is not None:
        return seal_key.record if seal_key.record.issuer == "internal" else None
    found = shop.registry.look_one(connection, ServiceKey, serial=serial)
    return None if found is None else found.record


def _make(shop: Workshop, answers: Sequence[Answer], *, nonce: bytes | None, now: datetime) -> OcspAnswer:
    # A key may have been revoked a moment after the caller read the clock: no answer is older than what it says.
    made = max([now, *(each.status.time for each in answers if isinstance(each.status, Revoked))])
    key = service_key(shop, "ocsp", made)
    responder = Responder(key=key.handle, certificate=key.certificate)
    der = make_response(answers, responder, nonce=nonce, now=made, next_update=made + LIFE)
    lasting = nonce is None and all(each.status != "unknown" for each in answers)
    return OcspAnswer(der=der, made=made, until=made + LIFE if lasting else None)


def _fresh(place: tuple[str, str, bytes], state: State, now: datetime) -> OcspAnswer | None:
    with _lock:
        kept = _kept.get(place)
    if kept is None or kept.state != state or not timedelta(0) <= now - kept.answer.made < _KEPT_FOR:
        return None
    return kept.answer


def _keep(place: tuple[str, str, bytes], kept: _Kept) -> None:
    with _lock:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[place] = kept


def _refused(failure: Failure, now: datetime) -> OcspAnswer:
    return OcspAnswer(der=refusal(failure), made=now, until=None)
