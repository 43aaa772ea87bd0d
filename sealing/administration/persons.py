"""Persons 人员: accounts, their roles at organs for a time, and principals' approval keys."""

from dataclasses import dataclass
from datetime import datetime

from ledger.ids import new_id
from registry.record import build
from registry.records import Organ, Person, PersonKey, RoleAssignment
from registry.store import Act, Stored
from sealing.administration import two_persons
from sealing.administration.acts import acting, end, put
from sealing.administration.administrators import ADMINISTRATOR, governed_organs, is_governed
from sealing.administration.key_registration import KeyRequest, key_values
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRequest:
    """A role of a person at an organ (by code), with the document that designates them [000 二(二)(三)]."""

    person: str
    organ: str
    role: str
    document: str | None
    on_behalf_of: str | None = None  # a deputy's or acting principal's principal
    valid_from: datetime | None = None  # None: from now on
    valid_until: datetime | None = None


def register(shop: Workshop, name: str, identity_number: str, act: Act) -> Stored[Person]:
    """Register a person. The identity number becomes a keyed hash and is not kept anywhere.

    Raises ``RecordInvalidError`` ``identity-number-invalid``, which does not repeat the number.
    """
    natural_person = shop.natural_person(identity_number)
    with acting(shop, act) as changes:
        return put(changes, build(Person, id=new_id("per"), name=name, natural_person=natural_person))


def assign_role(shop: Workshop, request: RoleRequest, act: Act) -> Stored[RoleAssignment]:
    """Designate a person. A further administrator takes two persons: ``add_administrator``.

    Raises ``NotFoundError`` for a person or organ that is not registered.
    """
    with acting(shop, act) as changes:
        for person in (request.person, request.on_behalf_of):
            if person is not None:
                changes.store.get(changes.connection, Person, person)
        changes.store.find_one(changes.connection, Organ, code=request.organ)
        if request.role == ADMINISTRATOR and is_governed(changes, request.organ):
            two_persons.require(changes, "add_administrator", what="role", person=request.person, organ=request.organ)
        role = build(
            RoleAssignment,
            id=new_id("rol"),
            person=request.person,
            organ=request.organ,
            role=request.role,
            document=request.document,
            on_behalf_of=request.on_behalf_of,
            valid_from=request.valid_from or act.now,
            valid_until=request.valid_until,
        )
        return put(changes, role, verb="assigned")


def end_role(shop: Workshop, role: str, act: Act) -> Stored[RoleAssignment]:
    """End a role now. Raises ``NotFoundError``, ``TransitionError`` ``ended-already``."""
    with acting(shop, act) as changes:
        return end(changes, changes.store.get(changes.connection, RoleAssignment, role))


def register_key(shop: Workshop, person: str, request: KeyRequest, act: Act) -> Stored[PersonKey]:
    """Register a person's own key: what it signs counts as ``person_signed``. An administrator's takes two persons.

    Raises ``NotFoundError``, ``EvidenceError`` ``key-unsuitable``, ``RecordInvalidError``.
    """
    with acting(shop, act) as changes:
        holder = changes.store.get(changes.connection, Person, person).record.id
        if governed_organs(changes, person):
            two_persons.require(changes, "add_administrator", what="key", person=person)
        values = key_values(changes, request, holder=holder)
        return put(changes, build(PersonKey, id=new_id("pky"), person=holder, passkey=request.passkey, **values))


def end_key(shop: Workshop, key: str, act: Act) -> Stored[PersonKey]:
    """Let the key approve nothing from now on. Raises ``NotFoundError``, ``TransitionError``."""
    with acting(shop, act) as changes:
        return end(changes, changes.store.get(changes.connection, PersonKey, key))
