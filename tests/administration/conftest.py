"""A filled installation, built once and copied for each test."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from world import World, build_world

from registry.store import Act, Actor
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

ADMINISTRATOR = Actor(id="per-" + "b" * 26, name="管理员示例", organ=None)


@dataclass
class Office:
    """What a test works with: an open workshop and acts that are a second apart."""

    world: World
    folder: Path
    seconds: int = 3600

    @property
    def shop(self) -> Workshop:
        return self.world.shop

    @property
    def now(self):
        return self.world.now + timedelta(seconds=self.seconds)

    def act(self, why: str = "测试", organ: str | None = None) -> Act:
        self.seconds += 1
        return Act(by=replace(ADMINISTRATOR, organ=organ), why=why, now=self.now)

    def newest(self) -> tuple[str, dict]:
        """Kind and opened values of the newest entry."""
        with self.shop.database.read() as connection:
            from sqlalchemy import func, select

            from ledger.tables import entries

            index = connection.execute(select(func.max(entries.c.index))).scalar_one()
            found = self.shop.book.entry(connection, index)
        return found.kind, {name: opening.value for name, opening in found.openings.items()}

    def kinds(self) -> list[str]:
        with self.shop.database.read() as connection:
            from sqlalchemy import select

            from ledger.tables import entries

            return list(connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars())

    def get(self, kind, record_id: str):
        with self.shop.database.read() as connection:
            return self.shop.registry.get(connection, kind, record_id).record

    def find(self, kind, **lookup):
        with self.shop.database.read() as connection:
            return [each.record for each in self.shop.registry.find(connection, kind, **lookup)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    settings, plan = build_world(tmp_path_factory.mktemp("template") / "data")
    with open_workshop(settings) as shop:
        return settings.data, plan.fill(shop)


@pytest.fixture
def settings(template: tuple[Path, World], tmp_path: Path) -> Settings:
    shutil.copytree(template[0], tmp_path / "data")
    return Settings(data=tmp_path / "data")


@pytest.fixture
def office(settings: Settings, template: tuple[Path, World], tmp_path: Path) -> Iterator[Office]:
    with open_workshop(settings) as shop:
        yield Office(world=replace(template[1], shop=shop), folder=tmp_path)
