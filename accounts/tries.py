"""Counting failures, so that guessing is slow.

A try is counted and written down as failed before the password is looked at, and taken back when it was right: tries
at the same time cannot outrun the count, and a process that dies in between has let nobody guess for nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from accounts import history
from accounts.history import Try
from accounts.store import Account, change
from ledger.moments import to_text

FREE: Final = 5
"""Failures in a row after which the account is locked."""
FIRST_LOCK: Final = timedelta(minutes=1)
LONGEST_LOCK: Final = timedelta(minutes=60)
_DOUBLED_AT_MOST: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A try that was counted. ``account`` is as it was before; None when the try is not to be looked at."""

    account: Account | None
    stored: str | None = field(repr=False)
    entry: str  # of the history
    lock: datetime | None


def lock_after(failed: int, now: datetime) -> datetime | None:
    """Until when ``failed`` failures in a row lock an account: 1, 2, 4 … 60 minutes from the fifth on."""
    if failed < FREE:
        return None
    doublings = min(failed - FREE, _DOUBLED_AT_MOST)
    return now + min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def charge(connection: Connection, account: Account | None, tried: Try) -> Charge:
    """Count a try against ``account``, which is locked in this transaction; None is for a name that is nobody's."""
    if account is None:
        return Charge(account=None, stored=None, entry=history.record(connection, tried, "unknown"), lock=None)
    if account.locked(tried.now):
        entry = history.record(connection, tried, "locked")
        return Charge(account=None, stored=account.password, entry=entry, lock=None)
    failed = account.failed + 1
    lock = lock_after(failed, tried.now)
    change(connection, account.person, failed=failed, locked_until=None if lock is None else to_text(lock))
    entry = history.record(connection, tried, "wrong")
    return Charge(account=account, stored=account.password, entry=entry, lock=lock)


def take_back(connection: Connection, account: Account, charged: Charge) -> None:
    """Uncount a try that was right; ``account`` is as it is now. A lock that another try set stays."""
    change(connection, account.person, failed=max(account.failed - 1, 0))
    if account.locked_until == charged.lock:
        change(connection, account.person, locked_until=None)


def clear(connection: Connection, person: str) -> None:
    """Forget all failures: the person has signed in."""
    change(connection, person, failed=0, locked_until=None)
