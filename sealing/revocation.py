"""The revocation lists of the embedded authority: made when asked for, kept until something changes.

The entries come from the seals' keys. A row that somebody deleted would leave a revoked certificate off the list, so
the rows are counted against the ledger's entries first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import cast

from sqlalchemy import Connection, func, select

from authority.revocation import LONGEST_LIFE, Reason, Revoked, make_crl
from ledger.tables import entries, head
from registry.errors import RowTamperedError
from registry.records import SealKey
from registry.tables import TABLES
from sealing.workshop import Workshop

LIFE = LONGEST_LIFE
_REFRESH = LIFE / 2
_TIME_BITS = 40
_KEYS = TABLES[SealKey]

_newest_change = select(func.max(_KEYS.c.entry_index), func.count())
_certified = select(func.count()).where(entries.c.kind == "seal_key.certified")
_size = select(head.c.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    state: tuple[int | None, int]  # newest change of a seal key, number of them
    made: datetime
    der: bytes


_kept: dict[tuple[str, str, str], _Kept] = {}
_lock = Lock()


def crl(shop: Workshop, now: datetime) -> bytes:
    """The issuer's list, DER: every seal certificate of the embedded authority that is held or revoked.

    Valid for at most 24 hours; a new one is made when a seal key changed or half of that passed. Raises
    ``registry.errors.RowTamperedError``, ``authority`` and ``keystore`` errors.
    """
    with shop.database.read() as connection:
        state = _state(connection)
        kept = _fresh(shop, "issuer", state, now)
        if kept is not None:
            return kept
        revoked, size = _revoked(connection, shop, state[1]), _ledger_size(connection)
    return _make(shop, "issuer", state, revoked=revoked, size=size, now=now)


def root_crl(shop: Workshop, now: datetime) -> bytes:
    """The root's list, DER. The one certificate that the root issued is the issuer's, and it is not revoked."""
    with shop.database.read() as connection:
        state, size = (None, 0), _ledger_size(connection)
    kept = _fresh(shop, "root", state, now)
    return kept or _make(shop, "root", state, revoked=(), size=size, now=now)


def _state(connection: Connection) -> tuple[int | None, int]:
    newest, count = connection.execute(_newest_change).one()
    return newest, count


def _fresh(shop: Workshop, issuer: str, state: tuple[int | None, int], now: datetime) -> bytes | None:
    with _lock:
        kept = _kept.get(_place(shop, issuer))
    if kept is None or kept.state != state or not timedelta(0) <= now - kept.made < _REFRESH:
        return None
    return kept.der


def _place(shop: Workshop, issuer: str) -> tuple[str, str, str]:
    return shop.installation.id, shop.settings.database, issuer


def _make(
    shop: Workshop,
    issuer: str,
    state: tuple[int | None, int],
    *,
    revoked: Sequence[Revoked],
    size: int,
    now: datetime,
) -> bytes:
    installation = shop.installation
    certificate, key = (
        (installation.issuer_certificate, installation.issuer_key)
        if issuer == "issuer"
        else (installation.root_certificate, installation.root_key)
    )
    # A key may have changed a moment after the caller read the clock: the list is not older than what it says.
    made = max([now, *(each.time for each in revoked)])
    der = make_crl(
        certificate,
        shop.keystore.open(key),
        revoked,
        # The ledger's size never falls, and two lists made at one size differ by their second.
        number=size << _TIME_BITS | int(made.timestamp()),
        now=made,
        next_update=made + LIFE,
    )
    with _lock:
        _kept[_place(shop, issuer)] = _Kept(state=state, made=made, der=der)
    return der


def _revoked(connection: Connection, shop: Workshop, rows: int) -> list[Revoked]:
    certified = int(connection.execute(_certified).scalar_one())
    if certified != rows:
        raise RowTamperedError(
            "seal-keys-missing",
            f"账本载有 {certified} 张印章证书，登记表中有 {rows} 张",
            f"the ledger knows {certified} seal certificates, the registry holds {rows}",
        )
    return [
        Revoked(serial=int(key.serial, 16), time=key.revoked_at, reason=cast("Reason", key.revoked_reason))
        for key in (found.record for found in shop.registry.find(connection, SealKey))
        if key.issuer == "internal" and key.revoked_at is not None
    ]


def _ledger_size(connection: Connection) -> int:
    return int(connection.execute(_size).scalar_one())
