"""A filled installation whose every key use is checked as the custody process checks it."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # checked_keystore and custody_process, beside the tests

from checked_keystore import CheckedKeystore, Desk, in_place_of
from world import START, World, build_world

from sealing.order import Outcome, Submission
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

PLACE = "sealing.workshop.open_keystore_for"


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


@pytest.fixture(scope="session")
def checked_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """Built once; that it can be built at all means that all its certificates and checkpoints passed the checks."""
    desk = Desk(now=START)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PLACE, in_place_of({}, desk))
        settings, plan = build_world(tmp_path_factory.mktemp("checked") / "data")
        with open_workshop(settings) as shop:
            return settings.data, plan.fill(shop)


@pytest.fixture
def checked(
    checked_template: tuple[Path, World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Checked]:
    folder, world = checked_template
    shutil.copytree(folder, tmp_path / "data")
    desk = Desk(now=START + timedelta(hours=1))
    keystores: dict[Path, CheckedKeystore] = {}
    monkeypatch.setattr(PLACE, in_place_of(keystores, desk))
    settings = Settings(data=tmp_path / "data")
    with open_workshop(settings) as shop:
        yield Checked(
            world=replace(world, shop=shop), desk=desk, keystore=keystores[settings.data], folder=tmp_path
        )
