"""The command in this process, on a filled installation whose clock stands where the world was built."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner
from world import COUNTY, START, World, build_world

from cli.main import app
from sealing import clock
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """A terminal beside an installation."""

    world: World
    data: Path
    folder: Path

    def run(self, *arguments: object, input_: str | None = None) -> Ran:
        """Run a command on the installation."""
        return run(*arguments, "--data", self.data, input_=input_)

    def json(self, *arguments: object, input_: str | None = None) -> Any:
        """Run a command that must succeed, and read its JSON."""
        ran = self.run(*arguments, "--json", input_=input_)
        assert ran.code == 0, ran
        return ran.json

    def error(self, *arguments: object) -> tuple[int, str]:
        """Run a command that must fail with a typed error: its exit code and the error's code."""
        ran = self.run(*arguments, "--json")
        return ran.code, ran.json["error"]["code"]

    def signer(self, organ: str, which: int) -> tuple[str, ...]:
        """The options of one of the two administrators of ``organ``."""
        one = self.world.administrators[organ][which]
        pem = one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return ("--as", one.person, "--sign-with", str(self.write(f"{one.person}.pem", pem)))

    def both(self, *arguments: object, organ: str = COUNTY) -> Any:
        """What was made once the first proposed it by this command and the second approved it."""
        proposal = self.json(*arguments, *self.signer(organ, 0), "--why", "提案")
        assert proposal["state"] == "open"
        ended = self.json("proposal", "approve", proposal["id"], *self.signer(organ, 1), "--why", "同意", "--yes")
        assert ended["state"] == "carried_out", ended
        return json.loads(ended["outcome"])

    def open(self):
        return open_workshop(Settings(data=self.data))

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def run(*arguments: object, input_: str | None = None) -> Ran:
    result = CliRunner().invoke(app, [str(each) for each in arguments], input=input_)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(code=result.exit_code, out=result.stdout, err=result.stderr)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    settings, plan = build_world(tmp_path_factory.mktemp("template") / "data")
    with open_workshop(settings) as shop:
        return settings.data, plan.fill(shop)


@pytest.fixture
def desk(template: tuple[Path, World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    shutil.copytree(template[0], tmp_path / "data")
    readings = iter(range(1, 10**9))
    # The clock of these tests stands in the past; a process that holds keys has a clock of its own.
    monkeypatch.setenv("YINXIN_UNSAFE_IN_PROCESS_KEYS", "true")
    monkeypatch.setattr(clock, "utc_now", lambda: START + timedelta(hours=1, milliseconds=next(readings)))
    with open_workshop(Settings(data=tmp_path / "data")) as shop:
        yield Desk(world=replace(template[1], shop=shop), data=tmp_path / "data", folder=tmp_path)


@pytest.fixture
def shop(desk: Desk) -> Workshop:
    return desk.world.shop
