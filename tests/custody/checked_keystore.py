"""The custody process' own work with its own checks and record, in this process and by a clock of the test.

Nothing is left out but the socket: a use is checked, recorded and then made, as the process does it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from world import World

from custody.checks import check_use
from custody.key_work import KeyWork, Use
from custody.requests import CheckState, UseRequest
from custody.state import State
from custody.uses import UseLine, UseRecord
from keystore.files import FileKeystore
from keystore.interface import Algorithm, Destruction, Grounds, Keystore, Permit, Purpose, SigningKey
from keystore.open import open_keystore
from ledger.canonical import JsonValue
from sealing.order import Outcome, Submission
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop


@dataclass(slots=True)
class Desk:
    """A test's hand on the checks: the time they see, and what was asked last for each purpose."""

    now: datetime
    asked: dict[str, UseRequest] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def check(self, request: UseRequest, state: CheckState, now: datetime) -> Mapping[str, JsonValue]:
        content = None if request.file is None else request.file.read()
        kept = replace(request, file=None if content is None else BytesIO(content))
        self.asked[request.purpose] = kept
        return check_use(kept, state, now)


@dataclass(slots=True)
class CheckedKey:
    """A handle whose uses are checked."""

    key: SigningKey
    work: KeyWork
    wants_grounds: bool = True

    @property
    def ref(self) -> str:
        return self.key.ref

    @property
    def purpose(self) -> Purpose:
        return self.key.purpose

    @property
    def algorithm(self) -> Algorithm:
        return self.key.algorithm

    @property
    def public_key(self) -> bytes:
        return self.key.public_key

    def sign(self, permit: Permit, message: bytes) -> bytes:
        permit.redeem(self, message)
        grounds = permit.grounds
        path = None if grounds is None else grounds.file
        file = None if path is None else path.open("rb")
        try:
            statement = None if grounds is None else grounds.statement
            return self.work.sign(
                Use(key=self.ref, purpose=self.purpose, message=message, grounds=statement, file=file)
            )
        finally:
            if file is not None:
                file.close()


class CheckedKeystore:
    """See :class:`keystore.interface.Keystore`."""

    wants_grounds = True

    def __init__(self, settings: Settings, desk: Desk, *, learns: bool = True) -> None:
        self.home = settings.data / "custody"
        self.pins = self.home / "pins"
        self.pins.mkdir(parents=True, exist_ok=True)
        self.state = State(settings.log_origin, self.pins, learns=learns)
        self.record = UseRecord.open(self.home / "uses", desk.now, each=self.state.note)
        path = settings.key_encryption_key_path
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            FileKeystore.create_key_encryption_key(path)

        def backend() -> Keystore:
            return open_keystore(settings.keystore_uri, key_encryption_key=path)

        self.work = KeyWork(backend, self.record, self.state, check=desk.check, clock=desk.clock)

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> CheckedKey:
        return CheckedKey(self.work.generate(purpose, algorithm), self.work)

    def open(self, ref: str) -> CheckedKey:
        return CheckedKey(self.work.open(ref), self.work)

    def refs(self) -> list[str]:
        return self.work.refs()

    def destroy(self, ref: str, grounds: Grounds | None = None) -> Destruction:
        return self.work.destroy(ref, None if grounds is None else grounds.statement)

    def uses_after(self, n: int) -> Iterator[UseLine]:
        yield from self.work.uses(n, 1_000_000)

    def about(self, purpose: Purpose) -> list[Mapping[str, Any]]:
        return [line.about for line in self.uses_after(0) if line.event == "use" and line.purpose == purpose]


def in_place_of(keystores: dict[Path, CheckedKeystore], desk: Desk) -> Any:
    """What a test puts in the place of ``sealing.key_service.open_keystore_for``: one keystore a data folder."""

    def open_keystore_for(settings: Settings) -> CheckedKeystore:
        if settings.data not in keystores:
            keystores[settings.data] = CheckedKeystore(settings, desk)
        return keystores[settings.data]

    return open_keystore_for


@dataclass
class Checked:
    """An open workshop, the keystore that checks, the time, and a folder."""

    world: World
    desk: Desk
    keystore: CheckedKeystore
    folder: Path

    @property
    def shop(self) -> Workshop:
        return self.world.shop

    def clock(self) -> Any:
        self.desk.now += timedelta(milliseconds=1)
        return self.desk.now

    def submission(self, name: str = "city", **changed: Any) -> Submission:
        return self.world.submission(name, self.folder, **changed)

    def seal(self, submission: Submission | None = None, name: str = "city") -> Outcome:
        outcome = Sealer(self.shop, clock=self.clock).seal(
            submission or self.submission(name), self.world.clients["platform"]
        )
        assert outcome.state == "sealed", outcome.findings
        return outcome
