"""The revocation lists of the embedded authority: made when asked for, kept until something changes.

The entries come from the keys of the seals and of the service. A row that somebody deleted would leave a revoked
certificate off the list, so the rows are counted against the ledger's entries first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import cast

from sqlalchemy import Connection, bindparam, func, select

from authority.revocation import LONGEST_LIFE, Reason, Revoked, make_crl
from ledger.tables import entries, head
from registry.errors import RowTamperedError
from registry.records import SealKey, ServiceKey
from registry.tables import TABLES
from sealing.root_list import current_root_list
from sealing.workshop import Workshop

LIFE = LONGEST_LIFE
_REFRESH = LIFE / 2
_TIME_BITS = 40
_KINDS: Mapping[type[SealKey] | type[ServiceKey], str] = {
    SealKey: "seal_key.certified",
    ServiceKey: "service_key.certified",
}

State = tuple[int | None, ...]
"""For seals, then for the service: the newest change of a key, and the number of keys."""

_newest_changes = [
    select(func.max(TABLES[kind].c.entry_index), func.count()).select_from(TABLES[kind]) for kind in _KINDS
]
_certified = select(func.count()).where(entries.c.kind == bindparam("kind"))
_size = select(head.c.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    state: State
    made: datetime
    der: bytes


_kept: dict[tuple[str, str, str], _Kept] = {}
_lock = Lock()


def crl(shop: Workshop, now: datetime) -> bytes:
    """The issuer's list, DER: every certificate of a seal or of the service that is held or revoked.

    Valid for at most 24 hours; a new one is made when a key changed or half of that passed. Raises
    ``registry.errors.RowTamperedError``, ``authority`` and ``keystore`` errors.
    """
    with shop.database.read() as connection:
        state = key_state(connection)
        kept = _fresh(shop, "issuer", state, now)
        if kept is not None:
            return kept
        revoked, size = _revoked(connection, shop), _ledger_size(connection)
    return _make(shop, "issuer", state, revoked=revoked, size=size, now=now)


def root_crl(shop: Workshop, now: datetime) -> bytes:
    """The root's list, DER. The one certificate that the root issued is the issuer's, and it is not revoked.

    Where the root's key is offline it is the list that was last accepted. Raises ``InstallationError`` for a stale one.
    """
    if shop.installation.root_key is None:
        return current_root_list(shop.settings, shop.installation, now)
    with shop.database.read() as connection:
        state, size = (None, 0), _ledger_size(connection)
    kept = _fresh(shop, "root", state, now)
    return kept or _make(shop, "root", state, revoked=(), size=size, now=now)


def key_state(connection: Connection) -> State:
    """Equal as long as no key of a seal or of the service changed."""
    return tuple(value for query in _newest_changes for value in connection.execute(query).one())


def _fresh(shop: Workshop, issuer: str, state: State, now: datetime) -> bytes | None:
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
    state: State,
    *,
    revoked: Sequence[Revoked],
    size: int,
    now: datetime,
) -> bytes:
    installation = shop.installation
    certificate, key = installation.issuer_certificate, installation.issuer_key
    if issuer == "root" and installation.root_key is not None:
        certificate, key = installation.root_certificate, installation.root_key
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


def _revoked(connection: Connection, shop: Workshop) -> list[Revoked]:
    keys = [key for kind in _KINDS for key in _keys(connection, shop, kind)]
    told = [revoked_as(key) for key in keys if isinstance(key, ServiceKey) or key.issuer == "internal"]
    return [each for each in told if each is not None]


def revoked_as(key: SealKey | ServiceKey) -> Revoked | None:
    """What lists and answers say of a key that is held or revoked; None of a good one."""
    if key.revoked_at is None:
        return None
    return Revoked(
        serial=int(key.serial, 16),
        time=key.revoked_at,
        reason=cast("Reason", key.revoked_reason),
        invalid_since=key.revoked_effective if isinstance(key, SealKey) else None,
    )


def _keys(
    connection: Connection, shop: Workshop, kind: type[SealKey] | type[ServiceKey]
) -> Sequence[SealKey | ServiceKey]:
    certified = int(connection.execute(_certified, {"kind": _KINDS[kind]}).scalar_one())
    keys = [found.record for found in shop.registry.find(connection, kind)]
    if certified != len(keys):
        raise RowTamperedError(
            "seal-keys-missing" if kind is SealKey else "service-keys-missing",
            f"账本载有 {certified} 张证书（{_KINDS[kind]}），登记表中有 {len(keys)} 张",
            f"the ledger knows {certified} certificates ({_KINDS[kind]}), the registry holds {len(keys)}",
        )
    return keys


def _ledger_size(connection: Connection) -> int:
    return int(connection.execute(_size).scalar_one())
