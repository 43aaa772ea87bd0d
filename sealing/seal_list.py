"""The seals that a person looks after: those of the organs they administer, and those they keep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from registry.records import Agreement, Organ, Person, Seal, SealKey
from sealing import impressions, tables
from sealing.impressions import Impression
from sealing.workshop import Workshop

LATEST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SealView:
    """A seal with what one wants to see beside it."""

    seal: Seal
    agreement: Agreement
    grantee: str
    custodian: str
    key: SealKey | None


def seals_of(connection: Connection, shop: Workshop, *, owners: Sequence[str], custodian: str) -> list[SealView]:
    """The seals that ``owners`` (codes) lend, and those that the person ``custodian`` keeps, by name."""
    found = {each.id: each for owner in owners for each in _owned(connection, shop, owner)}
    for stored in shop.registry.find(connection, Seal):
        if stored.record.custodian == custodian:
            found[stored.record.id] = stored.record
    return [view_of(connection, shop, each) for each in sorted(found.values(), key=lambda seal: seal.name)]


def view_of(connection: Connection, shop: Workshop, seal: Seal) -> SealView:
    """One seal with its agreement, grantee, custodian's name and present key. Raises ``registry`` errors."""
    agreement = shop.registry.get(connection, Agreement, seal.agreement).record
    keeper = None if seal.custodian is None else shop.registry.look(connection, Person, seal.custodian)
    key = shop.registry.look_one(connection, SealKey, seal=seal.id, current=True)
    return SealView(
        seal=seal,
        agreement=agreement,
        grantee=shop.registry.find_one(connection, Organ, code=agreement.terms.grantee).record.legal_name,
        custodian="" if keeper is None else keeper.record.name,
        key=None if key is None else key.record,
    )


def latest_uses(connection: Connection, shop: Workshop, seal: str) -> list[Impression]:
    """The last 50 impressions of a seal, the newest first, each compared with its entry."""
    table = tables.impressions
    query = select(table).where(table.c.seal == seal).order_by(table.c.entry_index.desc()).limit(LATEST)
    rows = connection.execute(query).mappings()
    return [impressions.check(connection, shop.book, Impression.of(row)) for row in rows]


def _owned(connection: Connection, shop: Workshop, owner: str) -> Iterator[Seal]:
    return (each.record for each in shop.registry.find(connection, Seal, owner=owner))
