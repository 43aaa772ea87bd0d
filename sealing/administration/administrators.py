"""Who is an administrator of an organ, and from when on one alone cannot make another.

The first two administrators of an organ, each with a key of their own, have to come from somewhere: until then one
person registers them, and the entries say so. From then on, for good, it takes two of them.
"""

from typing import Final

from registry.changes import Changes
from registry.persons import Person, PersonKey, RoleAssignment

ADMINISTRATOR: Final = "grantor_administrator"
_ENOUGH: Final = 2


def is_administrator(changes: Changes, person: str, organ: str) -> bool:
    """Whether the person has the role at this organ now."""
    now = changes.act.now
    return any(
        found.record.role == ADMINISTRATOR
        and found.record.valid_from <= now
        and (found.record.valid_until is None or now < found.record.valid_until)
        for found in changes.store.find(changes.connection, RoleAssignment, person=person, organ=organ)
    )


def is_governed(changes: Changes, organ: str) -> bool:
    """Whether the organ has, or ever had, two administrators with keys: two humans, not two accounts of one.

    Ends of roles and keys do not count: whoever could end them all would be alone again.
    """
    humans = set()
    for found in changes.store.find(changes.connection, RoleAssignment, organ=organ, role=ADMINISTRATOR):
        if changes.store.find(changes.connection, PersonKey, person=found.record.person):
            person = changes.store.get(changes.connection, Person, found.record.person).record
            humans.add(person.natural_person)
    return len(humans) >= _ENOUGH


def governed_organs(changes: Changes, person: str) -> list[str]:
    """The organs that take two persons and have this one for an administrator, by code."""
    roles = changes.store.find(changes.connection, RoleAssignment, person=person, role=ADMINISTRATOR)
    return sorted({role.record.organ for role in roles if is_governed(changes, role.record.organ)})
