"""Codes from a telephone: TOTP (RFC 6238), SHA-1, 6 digits, 30 seconds, one step early or late.

Each step opens once. The secret is stored encrypted.
"""

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import Connection, update

from accounts import challenges
from accounts.challenges import LIFETIME, Challenge
from accounts.desk import Desk
from accounts.errors import ChoiceError, StateError
from accounts.events import enter
from accounts.store import Account, account_of, change
from accounts.tables import accounts

STEP: Final = 30
"""Seconds."""
DRIFT: Final = 1
"""Steps that the telephone's clock may be early or late."""
ISSUER: Final = "印信"
_PURPOSE: Final = "totp"
_CODE: Final = re.compile(r"[0-9]{6}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTotp:
    """A secret to be typed or scanned into an authenticator app, shown once, and the handle to confirm it with."""

    handle: str = field(repr=False)
    secret: str = field(repr=False)  # base32
    uri: str = field(repr=False)  # otpauth://, for a QR code


def begin_totp(connection: Connection, desk: Desk, person: str, now: datetime) -> NewTotp:
    """Make a secret for the person's app; it counts once :func:`confirm_totp` has seen a code of it.

    Raises :class:`StateError` ``account-not-open``.
    """
    account = _open(connection, person)
    secret = pyotp.random_base32()
    waiting = Challenge(
        purpose=_PURPOSE,
        challenge=desk.secrets.seal(secret.encode(), person=person, purpose=_PURPOSE),
        person=person,
        expires=now + LIFETIME,
    )
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=ISSUER)
    return NewTotp(handle=challenges.put(connection, waiting, now), secret=secret, uri=uri)


def confirm_totp(desk: Desk, person: str, handle: str, *, code: str, now: datetime) -> None:
    """Keep the secret, if ``code`` is one of it; from now on it is asked for. A wrong code ends the attempt.

    Raises :class:`ChoiceError` ``totp-not-confirmed``, :class:`StateError` ``account-not-open``.
    """
    with desk.database.write() as connection:
        waiting = challenges.take(connection, handle, now)
    step = None
    if waiting is not None and (waiting.purpose, waiting.person) == (_PURPOSE, person):
        step = _step(desk.secrets.unseal(waiting.challenge, person=person, purpose=_PURPOSE), code, now)
    if waiting is None or step is None:
        raise ChoiceError(
            "totp-not-confirmed",
            "动态口令与新密钥不符，或已超过5分钟；请重新添加",
            "the code is not of the new secret, or five minutes have passed; please begin again",
        )
    with desk.database.write() as connection:
        _open(connection, person, lock=True)
        change(connection, person, totp=waiting.challenge, totp_step=step)
        enter(connection, desk.book, "account.totp_added", told={"person": person}, now=now)


def remove_totp(desk: Desk, person: str, now: datetime) -> bool:
    """Ask for no code any more; whether one was asked for. Raises :class:`StateError` ``account-not-open``."""
    with desk.database.write() as connection:
        had = _open(connection, person, lock=True).totp is not None
        if had:
            change(connection, person, totp=None)
            enter(connection, desk.book, "account.totp_removed", told={"person": person}, now=now)
    return had


def has_totp(connection: Connection, person: str) -> bool:
    """Whether a code is asked for when the person signs in with the password."""
    account = account_of(connection, person)
    return account is not None and account.totp is not None


def use_code(connection: Connection, desk: Desk, account: Account, code: str, now: datetime) -> bool:
    """Whether ``code`` is the account's now, and nobody used its step or a later one before.

    Raises :class:`SecretError` when the stored secret cannot be read.
    """
    if account.totp is None:
        return False
    step = _step(desk.secrets.unseal(account.totp, person=account.person, purpose=_PURPOSE), code, now)
    if step is None:
        return False
    taken = (
        update(accounts).where(accounts.c.person == account.person, accounts.c.totp_step < step).values(totp_step=step)
    )
    return connection.execute(taken).rowcount == 1


def _step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step whose code this is, the latest that may be meant."""
    given = "".join(code.split())
    if not _CODE.match(given):
        return None
    app, current, found = pyotp.TOTP(secret.decode()), int(now.timestamp()) // STEP, None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(app.generate_otp(step), given):
            found = step
    return found


def _open(connection: Connection, person: str, *, lock: bool = False) -> Account:
    found = account_of(connection, person, lock=lock)
    if found is None:
        raise StateError("account-not-open", "该人员没有启用中的帐户", "the person has no open account")
    return found
