"""A filled installation with two administrators for each grantor, copied for each test."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from two_administrators import Administrator
from world import World, build_world

from registry.proposals import Choice, Proposal, ProposalAction
from registry.store import Act, Actor
from sealing.administration.proposals import decide, propose
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

CLIENT = Actor(id="cli-" + "c" * 26, name="示例管理端", organ=None)


@dataclass
class Desk:
    """An open workshop, its administrators, and moments that are a second apart."""

    world: World
    folder: Path
    seconds: int = 3600

    @property
    def shop(self) -> Workshop:
        return self.world.shop

    @property
    def now(self):
        return self.world.now + timedelta(seconds=self.seconds)

    @property
    def audience(self) -> str:
        return self.shop.installation.log_origin

    @property
    def first(self) -> Administrator:
        return self.world.administrators["city"][0]

    @property
    def second(self) -> Administrator:
        return self.world.administrators["city"][1]

    @property
    def seal(self) -> str:
        return self.world.seals["city"]

    def act(self) -> Act:
        self.seconds += 1
        return Act(by=CLIENT, why="见声明", now=self.now)

    def propose(self, action: ProposalAction, by: Administrator | None = None, **content: Any) -> Proposal:
        act = self.act()
        statement = (by or self.first).proposal(self.audience, action, content, act.now)
        return propose(self.shop, action, content, statement, act).record

    def decide(
        self, proposal: Proposal, by: Administrator | None = None, choice: Choice = "approve", **changed: Any
    ) -> Proposal:
        act = self.act()
        statement = (by or self.second).decision(proposal, self.audience, act.now, choice, **changed)
        return decide(self.shop, proposal.id, statement, act).record

    def both(self, action: ProposalAction, **content: Any) -> dict[str, Any]:
        ended = self.decide(self.propose(action, **content))
        assert ended.state == "carried_out", ended.outcome
        return outcome(ended)

    def get(self, kind, record_id: str):
        with self.shop.database.read() as connection:
            return self.shop.registry.get(connection, kind, record_id).record

    def kinds(self) -> list[str]:
        from sqlalchemy import select

        from ledger.tables import entries

        with self.shop.database.read() as connection:
            return list(connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars())


def outcome(proposal: Proposal) -> dict[str, Any]:
    return dict(json.loads(proposal.outcome or "{}"))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    settings, plan = build_world(tmp_path_factory.mktemp("two-persons") / "data")
    with open_workshop(settings) as shop:
        return settings.data, plan.fill(shop)


@pytest.fixture
def desk(template: tuple[Path, World], tmp_path: Path) -> Iterator[Desk]:
    shutil.copytree(template[0], tmp_path / "data")
    with open_workshop(Settings(data=tmp_path / "data", unsafe_in_process_keys=True)) as shop:
        yield Desk(world=replace(template[1], shop=shop), folder=tmp_path)
