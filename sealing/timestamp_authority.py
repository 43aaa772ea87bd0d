"""The embedded time-stamp authority: tokens for our own seals and for whoever asks (RFC 3161).

Its serials hold the time and 80 random bits: they need no counter that replicas share or that a crash could lose.
"""

import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from authority import oids
from authority.errors import AuthorityError, TimeStampRequestError
from authority.timestamp import (
    TimeStampRequest,
    granted,
    make_token,
    read_request,
    rejected,
)
from keystore.interface import KeystoreError
from ledger import store
from ledger.errors import LedgerError
from ledger.moments import from_text
from registry.errors import RegistryError
from sealing.clock_trust import LARGEST_ERROR
from sealing.errors import ClockNotTrustedError, InstallationError
from sealing.service_keys import service_key
from sealing.workshop import Workshop

ACCURACY: Final = LARGEST_ERROR
"""No finer than the difference from time sources up to which the clock is trusted."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_RANDOM_BITS: Final = 80
_log = logging.getLogger("sealing")


def grant(shop: Workshop, digest: bytes, *, nonce: int | None, now: datetime) -> bytes:
    """A token, DER, with our certificates in it, for the SHA-256 ``digest``. Called outside any transaction.

    Raises :class:`ClockNotTrustedError`; ``registry``, ``ledger``, ``authority`` and ``keystore`` errors.
    """
    request = TimeStampRequest(algorithm="sha256", digest=digest, policy=None, nonce=nonce, certificates=True)
    return _token(shop, request, now)


def respond(shop: Workshop, request_der: bytes, now: datetime) -> bytes:
    """The TimeStampResp, DER, to a request from anybody: a token, or the reason why there is none."""
    try:
        request = read_request(request_der)
        if request.policy not in {None, oids.TIME_STAMP_POLICY}:
            expected = oids.TIME_STAMP_POLICY
            return rejected("unacceptedPolicy", f"时间戳策略应为 {expected}", f"the policy here is {expected}")
        return granted(_token(shop, request, now))
    except TimeStampRequestError as error:
        return rejected(error.failure, error.zh, error.en)
    except ClockNotTrustedError as error:
        _log.error("no time-stamp is given: %s", error.en)
        return rejected("timeNotAvailable", "时钟暂不可信，不签发时间戳", "the clock is not trusted at present")
    except (AuthorityError, KeystoreError, LedgerError, RegistryError, InstallationError):
        _log.exception("no time-stamp could be made")
        return rejected("systemFailure", "系统故障，未能签发时间戳", "the service failed to make the time-stamp")


def _token(shop: Workshop, request: TimeStampRequest, now: datetime) -> bytes:
    with shop.database.read() as connection:
        last = store.read_head(connection).time
    moment = shop.clock_watch.check(now, None if last is None else from_text(last))
    key = service_key(shop, "timestamp", moment)
    return make_token(
        request,
        key.handle,
        key.certificate,
        key.chain,
        serial=_new_serial(moment),
        now=moment,
        accuracy=ACCURACY,
        policy=oids.TIME_STAMP_POLICY,
    )


def _new_serial(now: datetime) -> int:
    """At most 160 bits (RFC 3161 2.4.2): microseconds since 2000, then random bits."""
    return (now - _EPOCH) // timedelta(microseconds=1) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
