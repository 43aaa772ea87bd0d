"""The kinds of records that the store keeps: their names, the columns they are found by, what is unique."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from registry.record import Record
from registry.records import (
    Agreement,
    CalendarDay,
    CatalogueItem,
    Client,
    ClientApprovalKey,
    DocumentStatus,
    Organ,
    OrganKey,
    Person,
    PersonKey,
    PilotRegion,
    Proposal,
    RoleAssignment,
    Seal,
    SealKey,
    ServiceKey,
    SetupRow,
)

Read = Callable[[Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of record. A lookup is kept as text in a column of its own, and checked against the body."""

    name: str  # of the table and, with a verb, of the ledger entries
    model: type[Record]
    lookups: Mapping[str, Read] = field(default_factory=dict)
    unique: tuple[tuple[str, ...], ...] = ()  # groups of lookups; a None in a group takes part in nothing

    def columns(self, record: Record) -> dict[str, str | None]:
        """The lookup columns that belong to ``record``."""
        return {name: _text(read(record)) for name, read in self.lookups.items()}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _by(*names: str) -> dict[str, Read]:
    return {name: attrgetter(name) for name in names}


def _true_if_current(key: SealKey | ServiceKey) -> bool | None:
    return key.retired_at is None or None


def _taken_number(seal: Seal) -> int | None:
    return seal.number if seal.takes_its_number else None


_ALL = (
    Kind(name="organ", model=Organ, lookups=_by("code", "region", "legal_name"), unique=(("code",),)),
    Kind(name="organ_key", model=OrganKey, lookups=_by("organ")),
    Kind(name="person", model=Person, lookups=_by("natural_person")),
    Kind(name="role_assignment", model=RoleAssignment, lookups=_by("person", "organ", "role")),
    Kind(name="person_key", model=PersonKey, lookups=_by("person")),
    Kind(name="client", model=Client, lookups=_by("state")),
    Kind(name="client_approval_key", model=ClientApprovalKey, lookups=_by("client")),
    Kind(
        name="agreement",
        model=Agreement,
        lookups={
            "number": attrgetter("terms.number"),
            "grantor": attrgetter("terms.grantor"),
            "grantee": attrgetter("terms.grantee"),
            "state": attrgetter("state"),
        },
        unique=(("number",),),
    ),
    Kind(
        name="seal",
        model=Seal,
        lookups={**_by("owner", "agreement", "state"), "taken_number": _taken_number},
        unique=(("owner", "taken_number"),),
    ),
    Kind(
        name="seal_key",
        model=SealKey,
        lookups={**_by("seal", "key_version", "serial"), "current": _true_if_current},
        unique=(("seal", "key_version"), ("seal", "current"), ("serial",)),
    ),
    Kind(
        name="service_key",
        model=ServiceKey,
        lookups={**_by("purpose", "serial"), "current": _true_if_current},
        unique=(("purpose", "current"), ("serial",)),
    ),
    Kind(name="catalogue_item", model=CatalogueItem, lookups=_by("list", "number")),
    Kind(name="setup_row", model=SetupRow, lookups=_by("regime", "region")),
    Kind(name="pilot_region", model=PilotRegion, lookups=_by("list", "number", "region")),
    Kind(name="document_status", model=DocumentStatus, lookups=_by("impression", "status")),
    Kind(
        name="calendar_day",
        model=CalendarDay,
        lookups={"date": attrgetter("date"), "year": attrgetter("date.year")},
    ),
    Kind(name="proposal", model=Proposal, lookups=_by("action", "organ", "proposed_by", "state")),
)

KINDS: Mapping[type[Record], Kind] = {kind.model: kind for kind in _ALL}
