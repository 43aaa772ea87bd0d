"""Agreements as the people of both parties see them, with their items in words and their seals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from policies.facts import ItemKey
from registry.records import Agreement, Organ, Person, RoleAssignment, Seal
from sealing.choices import item_name
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementView:
    """An agreement with the names of its parties. ``days`` are left of its period; negative when it is over."""

    agreement: Agreement
    grantor: str
    grantee: str
    days: int


def agreements_of(
    connection: Connection, shop: Workshop, *, grantors: Sequence[str], organs: Sequence[str], now: datetime
) -> list[AgreementView]:
    """Those that ``grantors`` made and those of which ``organs`` (codes) are the grantees, by number."""
    found = {
        each.record.id: each.record
        for side, codes in (("grantor", grantors), ("grantee", organs))
        for code in codes
        for each in shop.registry.find(connection, Agreement, **{side: code})
    }
    views = [view_of(connection, shop, each, now) for each in found.values()]
    return sorted(views, key=lambda each: each.agreement.terms.number)


def view_of(connection: Connection, shop: Workshop, agreement: Agreement, now: datetime) -> AgreementView:
    """One agreement. Raises ``registry`` errors."""
    terms = agreement.terms
    grantor, grantee = (
        shop.registry.find_one(connection, Organ, code=code).record.legal_name
        for code in (terms.grantor, terms.grantee)
    )
    return AgreementView(
        agreement=agreement, grantor=grantor, grantee=grantee, days=(terms.period.valid_until - now).days
    )


def items_of(connection: Connection, shop: Workshop, agreement: Agreement, now: datetime) -> list[str]:
    """The items of the current version, by number and their name now."""
    keys = (ItemKey(list=each.list, number=each.number) for each in agreement.terms.items)
    return [item_name(connection, shop, key, now) for key in keys]


def seals_under(connection: Connection, shop: Workshop, agreement: str) -> list[Seal]:
    """The seals made under the agreement, by name."""
    found = (each.record for each in shop.registry.find(connection, Seal, agreement=agreement))
    return sorted(found, key=lambda each: each.name)


def custodians_at(connection: Connection, shop: Workshop, organ: str, now: datetime) -> list[Person]:
    """The persons who are custodians of ``organ`` (code) now: who may keep a seal lent to it, by name."""
    roles = (each.record for each in shop.registry.find(connection, RoleAssignment, organ=organ, role="custodian"))
    present = {
        each.person for each in roles if each.valid_from <= now and (each.valid_until is None or now < each.valid_until)
    }
    people = (shop.registry.get(connection, Person, each).record for each in present)
    return sorted(people, key=lambda each: (each.name, each.id))
