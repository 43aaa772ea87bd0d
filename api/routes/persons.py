"""Persons 人员, what they may do where, and principals' own approval keys."""

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from api.bodies import Answer, Id, Kept, KeyBody, Moment, Reasoned, kept
from api.callers import Operator, OperatorOrAuditor, act_of, hidden
from api.service import Serving
from registry.fields import Name, OrganCode, RecordId, Text
from registry.persons import AssignedRole
from registry.records import Person, PersonKey, RoleAssignment
from sealing.administration import persons
from sealing.administration.persons import RoleRequest

router: Final = APIRouter(prefix="/v1/persons", tags=["persons"])


class PersonBody(Reasoned):
    """A person to register. The identity number becomes a keyed hash and is not kept."""

    name: Name
    identity_number: Annotated[str, Field(min_length=18, max_length=18)]


class RoleBody(Reasoned):
    """A role at an organ, with the document that designates the person."""

    organ: OrganCode
    role: AssignedRole
    document: Text | None = None
    on_behalf_of: RecordId | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class PersonAnswer(Answer):
    """A person with all roles and keys, past ones too. What the identity number became is not shown."""

    id: str
    name: str
    version: int
    entry: int
    roles: list[RoleAssignment]
    keys: list[PersonKey]


@router.post("", operation_id="registerPerson", status_code=201)
def register_person(service: Serving, caller: Operator, body: PersonBody) -> PersonAnswer:
    """Register a person."""
    act = act_of(caller, body.reason, service)
    stored = persons.register(service.shop, body.name, body.identity_number, act)
    return PersonAnswer(
        id=stored.record.id,
        name=stored.record.name,
        version=stored.version,
        entry=stored.entry_index,
        roles=[],
        keys=[],
    )


@router.get("/{person_id}", operation_id="readPerson")
def read_person(service: Serving, person_id: Id, _caller: OperatorOrAuditor) -> PersonAnswer:
    """One person."""
    store = service.shop.registry
    with service.shop.database.read() as connection:
        found = store.get(connection, Person, person_id)
        return PersonAnswer(
            id=found.record.id,
            name=found.record.name,
            version=found.version,
            entry=found.entry_index,
            roles=[each.record for each in store.find(connection, RoleAssignment, person=person_id)],
            keys=[each.record for each in store.find(connection, PersonKey, person=person_id)],
        )


@router.post("/{person_id}/roles", operation_id="assignRole", status_code=201)
def assign_role(service: Serving, person_id: Id, caller: Operator, body: RoleBody) -> Kept[RoleAssignment]:
    """Designate a person 用章人员, 主要负责人, 保管人 and so on."""
    request = RoleRequest(
        person=person_id,
        organ=body.organ,
        role=body.role,
        document=body.document,
        on_behalf_of=body.on_behalf_of,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    return kept(persons.assign_role(service.shop, request, act_of(caller, body.reason, service)))


@router.post("/{person_id}/roles/{role_id}/end", operation_id="endRole")
def end_role(service: Serving, person_id: Id, role_id: Id, caller: Operator, body: Reasoned) -> Kept[RoleAssignment]:
    """End a role now."""
    with service.shop.database.read() as connection:
        found = service.shop.registry.look(connection, RoleAssignment, role_id)
    if found is None or found.record.person != person_id:
        raise hidden("role_assignment", role_id)
    return kept(persons.end_role(service.shop, role_id, act_of(caller, body.reason, service)))


@router.post("/{person_id}/keys", operation_id="registerPersonKey", status_code=201)
def register_person_key(service: Serving, person_id: Id, caller: Operator, body: KeyBody) -> Kept[PersonKey]:
    """Register a principal's own approval key."""
    return kept(persons.register_key(service.shop, person_id, body.request(), act_of(caller, body.reason, service)))


@router.post("/{person_id}/keys/{key_id}/end", operation_id="endPersonKey")
def end_person_key(service: Serving, person_id: Id, key_id: Id, caller: Operator, body: Reasoned) -> Kept[PersonKey]:
    """Let a key approve nothing from now on."""
    with service.shop.database.read() as connection:
        found = service.shop.registry.look(connection, PersonKey, key_id)
    if found is None or found.record.person != person_id:
        raise hidden("person_key", key_id)
    return kept(persons.end_key(service.shop, key_id, act_of(caller, body.reason, service)))
