"""A filled installation whose every key use is checked as the custody process checks it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # checked_keystore and custody_process, beside the tests

from checked_keystore import Checked, CheckedKeystore, Desk, in_place_of
from world import START, World, build_world

from sealing.settings import Settings
from sealing.workshop import open_workshop

PLACE = "sealing.workshop.open_keystore_for"


@pytest.fixture(scope="session")
def checked_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """Built once; that it can be built at all means that all its certificates and checkpoints passed the checks."""
    desk, keystores = Desk(now=START), dict[Path, CheckedKeystore]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PLACE, in_place_of(keystores, desk))
        settings, plan = build_world(tmp_path_factory.mktemp("checked") / "data")
        with open_workshop(settings) as shop:
            world = plan.fill(shop)
    keystores[settings.data].record.close()
    return settings.data, world


@contextmanager
def opened(template: tuple[Path, World], folder: Path) -> Iterator[Checked]:
    """A copy of the template, open, an hour later."""
    source, world = template
    shutil.copytree(source, folder / "data")
    desk, keystores = Desk(now=START + timedelta(hours=1)), dict[Path, CheckedKeystore]()
    settings = Settings(data=folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PLACE, in_place_of(keystores, desk))
        with open_workshop(settings) as shop:
            keystore = keystores[settings.data]
            yield Checked(world=replace(world, shop=shop), desk=desk, keystore=keystore, folder=folder)
    keystore.record.close()


@pytest.fixture
def checked(checked_template: tuple[Path, World], tmp_path: Path) -> Iterator[Checked]:
    """One's own, to change."""
    with opened(checked_template, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def looked_at(checked_template: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """Shared by a module that changes nothing of it."""
    with opened(checked_template, tmp_path_factory.mktemp("looked-at")) as found:
        yield found
