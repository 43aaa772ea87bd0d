"""What acts on accounts need of the installation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from accounts.passwords import Passwords
from accounts.secrets import AccountSecrets
from ledger.book import Book
from ledger.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Where people sign in, as their browsers see it: ``yinxin.example.gov.cn``, ``https://yinxin.example.gov.cn``."""

    rp_id: str
    origin: str
    name: str = "印信"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The record, the secret, the hasher and the place. One a process, shared by threads."""

    book: Book
    secrets: AccountSecrets
    passwords: Passwords
    relying_party: RelyingParty
    must_have_passkey: Callable[[Connection, str, datetime], bool]
    """Whether the role of a person (id) asks for a passkey now."""

    @property
    def database(self) -> Database:
        """Where accounts and record are."""
        return self.book.database
