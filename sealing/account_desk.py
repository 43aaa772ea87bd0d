"""Accounts of one installation: its record, its secret, and the two places, for signing in and for approving."""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection

from accounts.desk import Desk, RelyingParty
from accounts.passwords import Passwords
from accounts.secrets import AccountSecrets
from policies.roles import PRINCIPALS
from registry.persons import AssignedRole
from registry.records import RoleAssignment
from sealing.administration.administrators import ADMINISTRATOR
from sealing.settings import Settings
from sealing.workshop import Workshop

WITH_PASSKEY: Final[frozenset[AssignedRole]] = frozenset({*PRINCIPALS, ADMINISTRATOR})
"""Roles whose holders sign in with a passkey: they decide on seals."""


def sign_in_place(settings: Settings) -> RelyingParty:
    """Where people sign in: the host of ``public_url``."""
    return _place(settings.public_url)


def approval_place(settings: Settings) -> RelyingParty:
    """Where principals approve: the host of ``approval_url``, by default ``approve.`` before that of ``public_url``.

    A browser gives a passkey to the host that it was made for only (WebAuthn 5.1.2), so what is signed on the pages for
    signing in cannot be an approval, whatever a page there asks for.
    """
    if settings.approval_url:
        return _place(settings.approval_url)
    parts = urlsplit(settings.public_url)
    return _place(urlunsplit(parts._replace(netloc=f"approve.{parts.netloc}")))


def _place(address: str) -> RelyingParty:
    return RelyingParty(rp_id=str(urlsplit(address).hostname), origin=address)


def roles_now(connection: Connection, shop: Workshop, person: str, now: datetime) -> tuple[RoleAssignment, ...]:
    """The roles of a person that hold at ``now``. Raises ``registry.errors.RowTamperedError``."""
    found = (each.record for each in shop.registry.find(connection, RoleAssignment, person=person))
    return tuple(
        each for each in found if each.valid_from <= now and (each.valid_until is None or now < each.valid_until)
    )


def make_desk(shop: Workshop, place: RelyingParty) -> Desk:
    """What signing in at ``place`` needs of an open workshop."""

    def must_have_passkey(connection: Connection, person: str, now: datetime) -> bool:
        return any(each.role in WITH_PASSKEY for each in roles_now(connection, shop, person, now))

    return Desk(
        book=shop.book,
        secrets=AccountSecrets(installation=shop.persons_secret),
        passwords=Passwords(),
        relying_party=place,
        must_have_passkey=must_have_passkey,
    )
