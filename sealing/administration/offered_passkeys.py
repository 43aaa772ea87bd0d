"""Approval passkeys that people offered: an administrator compares the fingerprint in person and registers the key."""

from datetime import datetime

from accounts.approval_passkeys import close_offer, get_offered
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
    """Register what ``offer`` names. After a recovery the key counts from the end of the hold on.

    An administrator's key takes two persons. Raises ``accounts.errors.StateError`` ``offer-unknown``, and as
    :func:`sealing.administration.persons.register_key`.
    """
    with shop.database.read() as connection:
        made = get_offered(connection, offer)
        account = account_of(connection, made.person)
    begins = valid_from or act.now
    if account is not None and account.hold_until is not None:
        begins = max(begins, account.hold_until)
    request = KeyRequest(
        public_key=made.public_key,
        document=document,
        valid_from=begins,
        valid_until=valid_until,
        passkey=Passkey(rp_id=made.rp_id, origin=made.origin, credential_id=made.credential_id),
    )
    stored = register_key(shop, made.person, request, act)
    with shop.database.write() as connection:
        close_offer(connection, offer)
    return stored
