"""A filled installation on each kind of database, copied for each test from one that is built once."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from databases import KINDS, PostgresServer, copy_of, empty_database
from world import START, World, build_world

from sealing.administration.seals import SealPolicy, set_policy
from sealing.order import Outcome
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop


@dataclass
class Ticking:
    """A clock that a test sets; each reading is a millisecond later than the one before."""

    now: datetime = START + timedelta(hours=1)
    lock: Lock = field(default_factory=Lock)

    def __call__(self) -> datetime:
        with self.lock:
            self.now += timedelta(milliseconds=1)
            return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Installed:
    """What a test works with: settings, the world in an open workshop, a clock, a sealer."""

    settings: Settings
    world: World
    folder: Path
    clock: Ticking = field(default_factory=Ticking)

    @property
    def shop(self) -> Workshop:
        return self.world.shop

    @property
    def caller(self):
        return self.world.clients["platform"]

    def sealer(self, at: Callable[[str], None] | None = None, shop: Workshop | None = None) -> Sealer:
        return Sealer(shop or self.shop, clock=self.clock, at=at)

    def policy(self, name: str = "city", **chosen: Any) -> None:
        """Let seal ``name`` seal by another policy from now on."""
        act = replace(self.world.act("选定级别"), now=self.clock())
        set_policy(self.shop, self.world.seals[name], SealPolicy(**{"check_mark": "none"} | chosen), act)

    def sealed(self, name: str = "city", shop: Workshop | None = None, **chosen: Any) -> "Sealed":
        """A document sealed by a policy."""
        self.policy(name, **chosen)
        submission = self.world.submission(name, self.folder)
        outcome = self.sealer(shop=shop).seal(submission, self.caller)
        assert outcome.state == "sealed", outcome.findings
        with self.shop.database.read() as connection:
            entry = self.shop.book.entry(connection, outcome.entry)
        path = self.shop.documents.read_path(outcome.sealed_digest)
        return Sealed(outcome=outcome, path=path, document=entry.value("document"))

    def audit(self) -> list[str]:
        return [str(each.en) for each in self.shop.book.audit()]

    def kinds(self) -> list[str]:
        with self.shop.database.read() as connection:
            from sqlalchemy import select

            from ledger.tables import entries

            return list(connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars())


@dataclass
class Sealed:
    """A sealed document: what the caller was told, the file, and the ``document`` group of its entry."""

    outcome: Outcome
    path: Path
    document: dict[str, Any]


@dataclass
class Template:
    folder: Path
    url: str
    world: World


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    return {}


def _build(kind: str, folder: Path, server: PostgresServer | None) -> Template:
    with empty_database(kind, folder, server) as url:
        settings, plan = build_world(folder / "data", database_url=url)
        with open_workshop(settings) as shop:
            return Template(folder=folder / "data", url=url, world=plan.fill(shop))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def settings(
    kind: str,
    templates: dict[str, Template],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Settings:
    server = request.getfixturevalue("postgres") if kind == "postgresql" else None
    if kind not in templates:
        templates[kind] = _build(kind, tmp_path_factory.mktemp("template"), server)
    template = templates[kind]
    data = tmp_path / "data"
    shutil.copytree(template.folder, data)
    return Settings(data=data, database_url=copy_of(template.url, data, server), unsafe_in_process_keys=True)


@pytest.fixture
def installed(settings: Settings, templates: dict[str, Template], kind: str, tmp_path: Path) -> Iterator[Installed]:
    with open_workshop(settings) as shop:
        yield Installed(settings=settings, world=replace(templates[kind].world, shop=shop), folder=tmp_path)
