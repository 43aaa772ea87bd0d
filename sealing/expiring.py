"""What ends soon for some organs: agreements, certificates of their seals, roles of their people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection

from registry.records import Agreement, Person, RoleAssignment, Seal, SealKey
from sealing.workshop import Workshop

SOON: Final = timedelta(days=90)
_LIVING: Final = frozenset({"active", "suspended"})
What = Literal["agreement", "certificate", "role"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """One thing that ends at ``end``: ``name`` of agreement (number), seal or person; ``detail`` is a role's code."""

    what: What
    id: str
    name: str
    detail: str
    end: datetime
    days: int  # whole days left


def expiring(connection: Connection, shop: Workshop, organs: Sequence[str], now: datetime) -> list[Expiring]:
    """What ends within :data:`SOON` for ``organs`` (codes), the next to end first. Raises ``registry`` errors."""
    found: dict[tuple[What, str], Expiring] = {}
    for organ in organs:
        for each in (*_agreements(connection, shop, organ, now), *_roles(connection, shop, organ, now)):
            found[each.what, each.id] = each
    return sorted(found.values(), key=lambda each: (each.end, each.what, each.name))


def _agreements(connection: Connection, shop: Workshop, organ: str, now: datetime) -> Iterator[Expiring]:
    for side in ("grantor", "grantee"):
        for stored in shop.registry.find(connection, Agreement, state="in_force", **{side: organ}):
            agreement = stored.record
            end = agreement.terms.period.valid_until
            if _soon(end, now):
                number = agreement.terms.number
                yield _expiring("agreement", agreement.id, name=number, end=end, now=now)
            yield from _certificates(connection, shop, agreement.id, now)


def _certificates(connection: Connection, shop: Workshop, agreement: str, now: datetime) -> Iterator[Expiring]:
    for stored in shop.registry.find(connection, Seal, agreement=agreement):
        key = shop.registry.look_one(connection, SealKey, seal=stored.record.id, current=True)
        if stored.record.state in _LIVING and key is not None and _soon(key.record.not_after, now):
            end = key.record.not_after
            yield _expiring("certificate", stored.record.id, name=stored.record.name, end=end, now=now)


def _roles(connection: Connection, shop: Workshop, organ: str, now: datetime) -> Iterator[Expiring]:
    for stored in shop.registry.find(connection, RoleAssignment, organ=organ):
        role = stored.record
        if role.valid_until is not None and role.valid_from <= now and _soon(role.valid_until, now):
            name = shop.registry.get(connection, Person, role.person).record.name
            yield _expiring("role", role.id, name=name, end=role.valid_until, now=now, detail=role.role)


def _soon(end: datetime, now: datetime) -> bool:
    return now < end <= now + SOON


def _expiring(what: What, record_id: str, *, name: str, end: datetime, now: datetime, detail: str = "") -> Expiring:
    return Expiring(what=what, id=record_id, name=name, detail=detail, end=end, days=(end - now).days)
