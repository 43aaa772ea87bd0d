"""Registered keys by their id, narrowed to those whose signature may count in the case at hand.

A ``kid`` is the id of a key's record. Whose keys are looked among is decided here, before any signature is
checked: a statement cannot name a key of somebody else into play.
"""

from base64 import b64decode
from collections.abc import Collection

from sqlalchemy import Connection

from registry.clients import Client, ClientApprovalKey
from registry.organs import OrganKey
from registry.persons import PersonKey
from registry.statements import FindKey, KeyKind, RegisteredKey
from registry.store import Registry


def registered_key(record: OrganKey | PersonKey | ClientApprovalKey) -> RegisteredKey:
    """What a statement is checked with."""
    kind, holder = _holder(record)
    return RegisteredKey(
        id=record.id,
        kind=kind,
        holder=holder,
        public_key=b64decode(record.public_key),
        valid_from=record.valid_from,
        valid_until=record.valid_until,
        passkey=record.passkey if isinstance(record, PersonKey) else None,
    )


def _holder(record: OrganKey | PersonKey | ClientApprovalKey) -> tuple[KeyKind, str]:
    if isinstance(record, OrganKey):
        return "organ", record.organ
    if isinstance(record, PersonKey):
        return "person", record.person
    return "client", record.client


def organ_keys(store: Registry, connection: Connection, organs: Collection[str]) -> FindKey:
    """The keys of these organs: for the signatures of an agreement."""

    def find(kid: str) -> RegisteredKey | None:
        stored = store.look(connection, OrganKey, kid)
        return registered_key(stored.record) if stored and stored.record.organ in organs else None

    return find


def approval_keys(store: Registry, connection: Connection, client: str) -> FindKey:
    """The keys that an approval brought by ``client`` may be signed with: any person's own, and the client's.

    A key that the client also authenticates with is none.
    """

    def find(kid: str) -> RegisteredKey | None:
        own = store.look(connection, PersonKey, kid)
        if own is not None:
            return registered_key(own.record)
        attesting = store.look(connection, ClientApprovalKey, kid)
        if attesting is None or attesting.record.client != client:
            return None
        holder = store.get(connection, Client, client).record
        return None if holder.public_key == attesting.record.public_key else registered_key(attesting.record)

    return find


def person_keys(store: Registry, connection: Connection) -> FindKey:
    """Persons' own keys: for proposals and their decisions."""

    def find(kid: str) -> RegisteredKey | None:
        stored = store.look(connection, PersonKey, kid)
        return None if stored is None else registered_key(stored.record)

    return find
