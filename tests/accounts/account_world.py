"""People with accounts on a real database, and a clock that is set by hand."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pyotp
import pytest
from databases import KINDS
from ledger_world import NOON, World
from software_authenticator import SoftwareAuthenticator
from sqlalchemy import Connection, text
from webauthn.helpers import base64url_to_bytes

from accounts import ceremonies, enrolment, history, sign_in, totp
from accounts.answers import Answer, SignedIn
from accounts.desk import Desk, RelyingParty
from accounts.passkeys import Passkey
from accounts.passwords import Passwords
from accounts.secrets import AccountSecrets
from accounts.sessions import Session, find_session
from accounts.visitors import Visitor
from ledger.canonical import JsonValue
from ledger.ids import new_id

both = pytest.mark.parametrize("kind", KINDS)
"""On SQLite and on PostgreSQL."""

SECRET = bytes(range(32))
PLACE = RelyingParty(rp_id="yinxin.example", origin="https://yinxin.example")
DESK_VISITOR = Visitor(address="10.1.2.3", browser="Chromium 80, UOS")
PASSWORD = "朝辞白帝彩云间 1234"
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@dataclass
class AccountWorld:
    """One desk, and who must have a passkey there."""

    ledger: World
    now: datetime = NOON
    principals: set[str] = field(default_factory=set)
    administrator: str = field(default_factory=lambda: new_id("per"))

    def __post_init__(self) -> None:
        self.passwords = Passwords(rounds=1, memory=8, lanes=1)
        self.desk = self.new_desk()

    def new_desk(self, **differs: Any) -> Desk:
        def must_have_passkey(connection: Connection, person: str, now: datetime) -> bool:
            return person in self.principals

        parts: dict[str, Any] = {
            "book": self.ledger.book,
            "secrets": AccountSecrets(installation=SECRET),
            "passwords": self.passwords,
            "relying_party": PLACE,
            "must_have_passkey": must_have_passkey,
        }
        return Desk(**parts | differs)

    @property
    def database(self):
        return self.desk.database

    def person(self, name: str = "li.hong", *, password: str = PASSWORD) -> str:
        """Somebody whose account is open."""
        code = enrolment.invite(self.desk, new_id("per"), "open", by=self.administrator, now=self.now)
        return enrolment.open_account(self.desk, code, name, password=password, now=self.now)

    def enter(self, name: str = "li.hong", password: str = PASSWORD) -> Answer:
        return sign_in.try_password(self.desk, name, password, visitor=DESK_VISITOR, now=self.now)

    def app_of(self, person: str) -> pyotp.TOTP:
        """Add a code generator, confirmed with a code of five minutes ago."""
        with self.database.write() as connection:
            made = totp.begin_totp(connection, self.desk, person, self.now)
        app = pyotp.TOTP(made.secret)
        totp.confirm_totp(self.desk, person, made.handle, code=app.at(self.now), now=self.now)
        self.now += 5 * MINUTE
        return app

    def passkey_of(
        self, person: str, device: SoftwareAuthenticator | None = None, *, label: str = "指纹"
    ) -> SoftwareAuthenticator:
        device = device or SoftwareAuthenticator(PLACE.rp_id, PLACE.origin)
        self.add(person, device, label=label)
        return device

    def add(self, person: str, device: SoftwareAuthenticator, *, label: str = "指纹") -> Passkey:
        with self.database.write() as connection:
            began = ceremonies.begin_registration(connection, self.desk, person, self.now)
        answer = device.register(challenge_of(began.options), person.encode())
        return ceremonies.finish_registration(self.desk, person, began.handle, answer=answer, label=label, now=self.now)

    def begin(self) -> ceremonies.Ceremony:
        with self.database.write() as connection:
            return ceremonies.begin_sign_in(connection, self.desk, self.now)

    def touch(self, device: SoftwareAuthenticator) -> Answer:
        """Sign in with a passkey alone."""
        began = self.begin()
        return self.answer(began.handle, device.sign(challenge_of(began.options)))

    def answer(self, handle: str, answer: dict[str, Any]) -> Answer:
        return sign_in.try_passkey(self.desk, handle, answer, visitor=DESK_VISITOR, now=self.now)

    def code(self, handle: str, code: str) -> Answer:
        return sign_in.try_totp(self.desk, handle, code, visitor=DESK_VISITOR, now=self.now)

    def session(self, answer: Answer) -> Session:
        assert isinstance(answer, SignedIn), answer
        with self.database.read() as connection:
            found = find_session(connection, answer.token, self.now)
        assert found is not None
        return found

    def outcomes(self, person: str) -> list[tuple[str, str]]:
        """How each try ended, the oldest first."""
        with self.database.read() as connection:
            return [(each.how, each.outcome) for each in reversed(history.sign_ins_of(connection, person))]

    def entries(self, kind: str) -> list[JsonValue]:
        """What the ledger has of this kind."""
        with self.database.read() as connection:
            book = self.desk.book
            found = [book.entry(connection, index) for index in range(book.size(connection))]
        return [each.value("account") for each in found if each.kind == kind]

    def scalar(self, statement: str) -> Any:
        with self.database.read() as connection:
            return connection.execute(text(statement)).scalar_one()


def challenge_of(options: Any) -> bytes:
    return base64url_to_bytes(options["challenge"])


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of ``acts`` gives or raises, when all begin together."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return act()
        except Exception as error:  # noqa: BLE001  what it was is for the test to judge
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
