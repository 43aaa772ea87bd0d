"""How a person opens the account or recovers it with a one-time code, and how an account ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from accounts import challenges
from accounts.codes import Enrolment, Purpose, code_refused, end_codes, make_code, take_code, waiting_enrolment
from accounts.desk import Desk
from accounts.errors import ChoiceError, StateError
from accounts.events import enter
from accounts.passkeys import remove_all
from accounts.sessions import close_all
from accounts.store import account_named, account_of, change
from accounts.tables import accounts
from ledger.moments import to_text
from policies.folding import find_lookalike, fold

HOLD: Final = timedelta(hours=24)
"""So long after a recovery approvals are held."""
SHORTEST_NAME: Final = 2
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What a recovery did: the person and the other organ must be told, whoever gave the code."""

    person: str
    code_by: str
    hold_until: datetime
    sessions_closed: int
    passkeys_removed: int
    totp_removed: bool


def invite(desk: Desk, person: str, purpose: Purpose, *, by: str, now: datetime) -> str:
    """A code for ``person``, who is registered, made by the person ``by``. Earlier codes for it end.

    Raises :class:`StateError` ``account-open-already`` or ``account-not-open``.
    """
    with desk.database.write() as connection:
        if (account_of(connection, person, lock=True) is None) != (purpose == "open"):
            raise _wrong_state(purpose)
        code = make_code(connection, Enrolment(person=person, purpose=purpose, made_by=by), now)
        told = {"person": person, "by": by, "purpose": purpose}
        enter(connection, desk.book, "account.invited", told=told, now=now)
    return code


def open_account(desk: Desk, code: str, sign_in_name: str, *, password: str, now: datetime) -> str:
    """Open the account of the person whom ``code`` was made for; the person's id. A refusal leaves the code good.

    After an account that was closed, approvals are held as after a recovery.

    Raises :class:`ChoiceError` ``sign-in-name-refused``, ``sign-in-name-taken``, ``password-refused``,
    :class:`EnrolmentError` ``code-refused``.
    """
    _waiting_person(desk, code, "open", now)
    name = _name(sign_in_name)
    stored = desk.passwords.make(password, name)
    try:
        with desk.database.write() as connection:
            enrolment = take_code(connection, code, "open", now)
            person = enrolment.person
            if account_named(connection, name) is not None:
                raise _taken()
            closed = delete(accounts).where(accounts.c.person == person, accounts.c.state == "closed")
            again = bool(connection.execute(closed).rowcount)
            connection.execute(
                insert(accounts).values(
                    person=person,
                    name=name,
                    name_key=fold(name),
                    password=stored,
                    totp_step=0,
                    failed=0,
                    hold_until=to_text(now + HOLD) if again else None,  # closing and opening is no way round
                    state="open",
                    created=to_text(now),
                )
            )
            enter(connection, desk.book, "account.opened", told={"person": person, "by": enrolment.made_by}, now=now)
    except IntegrityError:  # of a closed account, or another opened at this moment
        raise _taken() from None
    return person


def recover(desk: Desk, code: str, *, password: str, now: datetime) -> Recovered:
    """Give the account a new password and take every other way in away; approvals are held for a day.

    Raises :class:`ChoiceError` ``password-refused``, :class:`EnrolmentError` ``code-refused``.
    """
    person = _waiting_person(desk, code, "recover", now)
    with desk.database.read() as connection:
        account = account_of(connection, person)
    stored = desk.passwords.make(password, "" if account is None else account.name)
    with desk.database.write() as connection:
        account = account_of(connection, person, lock=True)
        enrolment = take_code(connection, code, "recover", now)
        if account is None:
            raise code_refused()
        challenges.end_all(connection, person)
        done = Recovered(
            person=person,
            code_by=enrolment.made_by,
            hold_until=now + HOLD,
            sessions_closed=close_all(connection, person),
            passkeys_removed=remove_all(connection, person),
            totp_removed=account.totp is not None,
        )
        change(
            connection,
            person,
            password=stored,
            totp=None,
            failed=0,
            locked_until=None,
            hold_until=to_text(done.hold_until),
        )
        told = {"person": person, "by": enrolment.made_by, "hold_until": to_text(done.hold_until)}
        enter(connection, desk.book, "account.recovered", told=told, now=now)
    return done


def close_account(desk: Desk, person: str, *, by: str, now: datetime) -> None:
    """End the account: no way in, no session, no code is left. An ``open`` code can open it anew.

    Raises :class:`StateError` ``account-not-open``.
    """
    with desk.database.write() as connection:
        if account_of(connection, person, lock=True) is None:
            raise _wrong_state("recover")
        change(connection, person, state="closed", totp=None)
        close_all(connection, person)
        remove_all(connection, person)
        challenges.end_all(connection, person)
        end_codes(connection, person)
        enter(connection, desk.book, "account.closed", told={"person": person, "by": by}, now=now)


def _waiting_person(desk: Desk, code: str, purpose: Purpose, now: datetime) -> str:
    """Whose code it is; asked before any password is hashed for it."""
    with desk.database.read() as connection:
        waiting = waiting_enrolment(connection, code, now)
    if waiting is None or waiting.purpose != purpose:
        raise code_refused()
    return waiting.person


def _name(given: str) -> str:
    name, odd = " ".join(given.split()), find_lookalike(given.strip())
    if odd is not None:
        raise ChoiceError("sign-in-name-refused", f"登录名{odd.zh}", f"the sign-in name {odd.en}")
    if not SHORTEST_NAME <= len(fold(name)) <= LONGEST_NAME or len(name) > LONGEST_NAME:
        raise ChoiceError(
            "sign-in-name-refused",
            f"登录名长 {len(name)} 个字符，应为 {SHORTEST_NAME} 至 {LONGEST_NAME} 个",
            f"the sign-in name has {len(name)} characters, {SHORTEST_NAME} to {LONGEST_NAME} expected",
        )
    return name


def _taken() -> ChoiceError:
    return ChoiceError("sign-in-name-taken", "登录名已有人使用，请另选一个", "the sign-in name is taken")


def _wrong_state(purpose: Purpose) -> StateError:
    if purpose == "open":
        return StateError("account-open-already", "该人员已有启用中的帐户", "the person has an open account already")
    return StateError("account-not-open", "该人员没有启用中的帐户", "the person has no open account")
