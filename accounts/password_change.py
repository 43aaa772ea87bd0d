"""A person changes the password: the old one is asked for, and every other session ends."""

from datetime import datetime

from accounts.answers import NO, Refused
from accounts.desk import Desk
from accounts.events import enter
from accounts.history import Try, amend
from accounts.sessions import Session, close_all
from accounts.store import account_of, change
from accounts.tries import charge, take_back
from accounts.visitors import Visitor


def change_password(desk: Desk, session: Session, old: str, *, new: str, now: datetime) -> Refused | None:
    """None when it is changed. A wrong old password is a failed try like any other, and counts.

    Raises :class:`ChoiceError` ``password-refused``, ``ledger`` errors.
    """
    person = session.person
    tried = Try(
        person=person, how="password", visitor=Visitor(address=session.address, browser=session.browser), now=now
    )
    with desk.database.read() as connection:
        account = account_of(connection, person)
    stored = desk.passwords.make(new, "" if account is None else account.name)
    with desk.database.write() as connection:
        charged = charge(connection, account_of(connection, person, lock=True), tried)
    right = desk.passwords.matches(charged.stored, old)
    if charged.account is None or not right:
        return NO
    with desk.database.write() as connection:
        account = account_of(connection, person, lock=True)
        if account is None or account.password != charged.stored:
            return NO
        take_back(connection, account, charged)
        amend(connection, charged.entry, "password-changed")
        change(connection, person, password=stored)
        close_all(connection, person, but=session.id)
        enter(connection, desk.book, "account.password_changed", told={"person": person}, now=now)
    return None
