"""Public keys that organs, persons and clients sign statements with: fit for it, and each of one holder only."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.changes import Changes
from registry.errors import RecordInvalidError
from registry.passkeys import Passkey
from registry.records import Client, ClientApprovalKey, OrganKey, PersonKey
from registry.statements import check_public_key


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A key to register: SubjectPublicKeyInfo (DER) on P-256, the paper that hands it over, its period."""

    public_key: bytes
    document: str
    valid_from: datetime | None = None  # None: from now on
    valid_until: datetime | None = None
    passkey: Passkey | None = None  # a person's; None: a key that signs plain JWS


def key_values(changes: Changes, request: KeyRequest, *, holder: str) -> dict[str, Any]:
    """What all three kinds of keys have in common. Raises as :func:`own_key`."""
    return {
        "algorithm": "ES256",
        "public_key": own_key(changes, request.public_key, holder=holder),
        "registered_by": changes.act.by.id,
        "document": request.document,
        "valid_from": request.valid_from or changes.act.now,
        "valid_until": request.valid_until,
    }


def own_key(changes: Changes, public_key: bytes, *, holder: str) -> str:
    """The key as records hold it.

    Raises ``registry.errors.EvidenceError`` ``key-unsuitable`` and :class:`RecordInvalidError`
    ``key-of-another``: a key that two holders share would let one sign for the other.
    """
    check_public_key(public_key)
    text = b64encode(public_key).decode()
    for other, registered in _holders(changes):
        if registered == text and other != holder:
            raise RecordInvalidError(
                "key-of-another",
                f"该公钥已登记在 {other} 名下，不得再登记给 {holder}",
                f"this public key is registered for {other} and cannot be {holder}'s too",
            )
    return text


def _holders(changes: Changes) -> Iterator[tuple[str, str]]:
    store, connection = changes.store, changes.connection
    for organ in store.find(connection, OrganKey):
        yield organ.record.organ, organ.record.public_key
    for person in store.find(connection, PersonKey):
        yield person.record.person, person.record.public_key
    for attesting in store.find(connection, ClientApprovalKey):
        yield attesting.record.client, attesting.record.public_key
    for client in store.find(connection, Client):
        if client.record.public_key is not None:
            yield client.record.id, client.record.public_key
