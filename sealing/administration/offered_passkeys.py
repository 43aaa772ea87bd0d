"""Approval passkeys that people offered: an administrator compares the fingerprint in person and registers the key.

The passkey of an administrator takes two persons: what :func:`proposed` gives is proposed, and carried out by
:func:`register`.
"""

from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from typing import Any

from accounts.approval_passkeys import OfferedPasskey, close_offers, get_offered
from accounts.store import account_of
from registry.passkeys import Passkey
from registry.records import PersonKey
from registry.store import Act, Stored
from sealing.administration.key_registration import KeyRequest
from sealing.administration.persons import register_key
from sealing.workshop import Workshop


def confirm(
    shop: Workshop,
    offer: str,
    *,
    document: str,
    act: Act,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Stored[PersonKey]:
    """Register what ``offer`` names. Raises ``StateError`` ``offer-unknown``, and as :func:`register`."""
    with shop.database.read() as connection:
        made = get_offered(connection, offer)
    request = KeyRequest(
        public_key=made.public_key,
        document=document,
        valid_from=valid_from,
        valid_until=valid_until,
        passkey=_passkey(made),
    )
    return register(shop, made.person, request, act)


def proposed(shop: Workshop, offer: str, *, organ: str, document: str) -> dict[str, Any]:
    """The content of a proposal ``add_administrator`` for what ``offer`` names.

    Raises ``accounts.errors.StateError`` ``offer-unknown``.
    """
    with shop.database.read() as connection:
        made = get_offered(connection, offer)
    return {
        "what": "key",
        "person": made.person,
        "organ": organ,
        "public_key": b64encode(made.public_key).decode("ascii"),
        "document": document,
        "passkey": _passkey(made).model_dump(mode="json"),
    }


def register(shop: Workshop, person: str, request: KeyRequest, act: Act) -> Stored[PersonKey]:
    """Register a passkey; after a recovery of the account it counts from the end of the hold on.

    Raises as :func:`sealing.administration.persons.register_key`.
    """
    with shop.database.read() as connection:
        account = account_of(connection, person)
    begins = request.valid_from or act.now
    if account is not None and account.hold_until is not None:
        begins = max(begins, account.hold_until)
    stored = register_key(shop, person, replace(request, valid_from=begins), act)
    if request.passkey is not None:
        with shop.database.write() as connection:
            close_offers(connection, request.passkey.credential_id)
    return stored


def _passkey(made: OfferedPasskey) -> Passkey:
    return Passkey(rp_id=made.rp_id, origin=made.origin, credential_id=made.credential_id)
