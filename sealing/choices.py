"""What a seal user may choose: seals of the agreements in force, their items, and what each item asks for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from policies.facts import DocumentKind, ItemKey
from registry.catalogue import item_in_force
from registry.catalogue_rows import CatalogueItem
from registry.conditions import ConditionField
from registry.records import Agreement, Organ, Seal
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChoice:
    """An item that the agreement lists and the catalogue has now."""

    key: ItemKey
    name: str
    document_kinds: tuple[DocumentKind, ...]
    asks_for: tuple[ConditionField, ...]
    condition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealChoice:
    """A seal that is active, with what it may be used for."""

    seal: str
    name: str
    grantor: str
    agreement: str
    items: tuple[ItemChoice, ...]


def choices(connection: Connection, shop: Workshop, organ: str, now: datetime) -> list[SealChoice]:
    """The seals that ``organ`` (a grantee's code) can apply for now. The rules decide later all the same."""
    found: list[SealChoice] = []
    for agreement in shop.registry.find(connection, Agreement, grantee=organ, state="in_force"):
        terms = agreement.record.terms
        items = tuple(_items(connection, shop, agreement.record, now))
        grantor = shop.registry.find_one(connection, Organ, code=terms.grantor).record.legal_name
        seals = shop.registry.find(connection, Seal, agreement=agreement.record.id, state="active")
        found += [
            SealChoice(seal=each.record.id, name=each.record.name, grantor=grantor, agreement=terms.number, items=items)
            for each in seals
        ]
    return sorted(found, key=lambda each: (each.grantor, each.name))


def item_name(connection: Connection, shop: Workshop, key: ItemKey, now: datetime) -> str:
    """The item's number and its name in the catalogue now; the number alone where there is no such row."""
    rows = shop.registry.find(connection, CatalogueItem, list=key.list, number=key.number)
    row = item_in_force((each.record for each in rows), key, now)
    number = f"{key.list} {key.number}"
    return number if row is None else f"{row.name}（{number}）"


def _items(connection: Connection, shop: Workshop, agreement: Agreement, now: datetime) -> list[ItemChoice]:
    listed = []
    for each in agreement.terms.items:
        key = ItemKey(list=each.list, number=each.number)
        rows = shop.registry.find(connection, CatalogueItem, list=key.list, number=key.number)
        row = item_in_force((found.record for found in rows), key, now)
        if row is not None:
            listed.append(_choice(key, row))
    return listed


def _choice(key: ItemKey, row: CatalogueItem) -> ItemChoice:
    condition = row.compiled_condition()
    return ItemChoice(
        key=key,
        name=row.name,
        document_kinds=row.document_kinds,
        asks_for=() if condition is None else condition.fields,
        condition=None if condition is None else condition.text,
    )
