"""Signing in: password, then a second factor where there is one or must be one; or a passkey alone.

Each function owns its transactions, so that a failed try is in the history when the answer is given. Passwords are
hashed outside of them: nobody who signs in holds up a seal. A lock keeps passwords and codes out, not passkeys, which
cannot be guessed: else anybody could keep a person from working.
"""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Any, Final

from sqlalchemy import Connection

from accounts import challenges, history
from accounts.answers import GONE, NO, WRONG_CODE, Answer, Method, Refused, SecondFactor, SignedIn
from accounts.ceremonies import SIGNING_IN, Proof, begin_sign_in, prove
from accounts.challenges import LIFETIME, Challenge
from accounts.desk import Desk
from accounts.errors import PasskeyError
from accounts.history import Try
from accounts.passkeys import count_use, find_passkey
from accounts.sessions import Factors, open_session
from accounts.store import Account, account_named, account_of, change, passkey_count
from accounts.totp import use_code
from accounts.tries import Charge, charge, clear, take_back
from accounts.visitors import Visitor

_EITHER: Final = "second-factor"
_PASSKEY_ONLY: Final = "second-passkey"


def try_password(desk: Desk, sign_in_name: str, password: str, *, visitor: Visitor, now: datetime) -> Answer:
    """The first step with name and password. Raises ``ledger`` errors only."""
    with desk.database.write() as connection:
        account = account_named(connection, sign_in_name, lock=True)
        tried = Try(person=None if account is None else account.person, how="password", visitor=visitor, now=now)
        charged = charge(connection, account, tried)
    right = desk.passwords.matches(charged.stored, password)
    if charged.account is None or not right:
        return NO
    stale = desk.passwords.stale(charged.account.password)
    remade = desk.passwords.remake(password) if stale else None
    with desk.database.write() as connection:
        account = account_of(connection, charged.account.person, lock=True)
        if account is None or account.password != charged.stored:
            return NO  # closed or changed while the password was hashed
        if remade is not None:
            change(connection, account.person, password=remade)
        return _after_password(connection, desk, account, charged=charged, tried=tried)


def try_totp(desk: Desk, handle: str, code: str, *, visitor: Visitor, now: datetime) -> Answer:
    """The second step with a code from the person's telephone. Raises ``SecretError`` and ``ledger`` errors."""
    with desk.database.write() as connection:
        waiting = challenges.take(connection, handle, now)
        if waiting is None or waiting.purpose != _EITHER or waiting.person is None:
            return GONE
        account = account_of(connection, waiting.person, lock=True)
        if account is None:
            return GONE
        tried = Try(person=account.person, how="totp", visitor=visitor, now=now)
        if not account.locked(now) and use_code(connection, desk, account, code, now):
            history.record(connection, tried, "signed-in")
            return _signed_in(connection, desk, account.person, factors="password+totp", tried=tried)
        charged = charge(connection, account, tried)
        if charged.account is None or charged.lock is not None:
            return NO
        return _second_factor(connection, desk, account, now=now, refusal=WRONG_CODE)


def try_passkey(desk: Desk, handle: str, answer: Mapping[str, Any], *, visitor: Visitor, now: datetime) -> Answer:
    """A passkey's answer, alone (``accounts.ceremonies.begin_sign_in``) or as the second step.

    Raises ``ledger`` errors only.
    """
    with desk.database.write() as connection:
        waiting = challenges.take(connection, handle, now)
    if waiting is None or waiting.purpose not in {SIGNING_IN, _EITHER, _PASSKEY_ONLY}:
        return GONE
    try:
        proof = prove(desk, waiting, answer)
    except PasskeyError as error:
        tried = Try(person=waiting.person or error.person, how="passkey", visitor=visitor, now=now)
        with desk.database.write() as connection:
            history.record(connection, tried, "refused")
        return Refused(code=error.code, zh=error.zh, en=error.en)
    tried = Try(person=proof.passkey.person, how="passkey", visitor=visitor, now=now)
    with desk.database.write() as connection:
        return _after_passkey(connection, desk, proof, waiting=waiting, tried=tried)


def _after_password(connection: Connection, desk: Desk, account: Account, *, charged: Charge, tried: Try) -> Answer:
    if _methods(connection, desk, account, tried.now):
        take_back(connection, account, charged)
        history.amend(connection, charged.entry, "half-way")
        return _second_factor(connection, desk, account, now=tried.now, refusal=None)
    history.amend(connection, charged.entry, "signed-in")
    return _signed_in(connection, desk, account.person, factors="password", tried=tried)


def _after_passkey(connection: Connection, desk: Desk, proof: Proof, *, waiting: Challenge, tried: Try) -> Answer:
    passkey = proof.passkey
    account = account_of(connection, passkey.person, lock=True)
    if account is None or find_passkey(connection, passkey.credential) is None:
        history.record(connection, tried, "refused")
        return GONE  # closed or removed while the answer was checked
    if not count_use(connection, passkey.credential, proof.sign_count, tried.now):
        history.record(connection, tried, "count-went-back")
        return Refused(
            code="passkey-count-went-back",
            zh=f"通行密钥“{passkey.label}”的使用计数没有增加，可能被复制；请联系管理员并删除它",
            en=f"the passkey “{passkey.label}” did not count on and may have been copied; "
            "please tell the administrator and remove it",
        )
    history.record(connection, tried, "signed-in")
    factors: Factors = "passkey" if waiting.person is None else "password+passkey"
    return _signed_in(connection, desk, account.person, factors=factors, tried=tried)


def _methods(connection: Connection, desk: Desk, account: Account, now: datetime) -> tuple[Method, ...]:
    """The second factors that serve. Whoever must have a passkey and has one cannot do with a code."""
    methods: list[Method] = []
    if passkey_count(connection, account.person):
        methods.append("passkey")
    if account.totp is not None and not (methods and desk.must_have_passkey(connection, account.person, now)):
        methods.append("totp")
    return tuple(methods)


def _second_factor(
    connection: Connection, desk: Desk, account: Account, *, now: datetime, refusal: Refused | None
) -> SecondFactor:
    methods, person = _methods(connection, desk, account, now), account.person
    purpose = _EITHER if "totp" in methods else _PASSKEY_ONLY
    if "passkey" in methods:
        ceremony = begin_sign_in(connection, desk, now, person=person, purpose=purpose)
        handle, options = ceremony.handle, ceremony.options
    else:
        waiting = Challenge(purpose=purpose, challenge=token_bytes(32), person=person, expires=now + LIFETIME)
        handle, options = challenges.put(connection, waiting, now), None
    return SecondFactor(handle=handle, methods=methods, options=options, refusal=refusal)


def _signed_in(connection: Connection, desk: Desk, person: str, *, factors: Factors, tried: Try) -> SignedIn:
    clear(connection, person)
    must = desk.must_have_passkey(connection, person, tried.now)
    return SignedIn(
        token=open_session(connection, person, factors, visitor=tried.visitor, now=tried.now),
        person=person,
        factors=factors,
        must_add_passkey=must and not factors.endswith("passkey"),
    )
