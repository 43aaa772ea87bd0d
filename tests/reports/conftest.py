"""One installation with one sealed file, judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from world import START, World, build_world

from sealing.seal import Sealer
from sealing.verification import judge_upload
from sealing.workshop import Workshop, open_workshop
from verify.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the tests of reports need."""

    shop: Workshop
    world: World
    folder: Path
    sealed: Path
    impression: str

    def judge(self, path: Path) -> Verdict:
        return judge_upload(self.shop, path, length=path.stat().st_size, receipt=None, now=START)

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("reports")
    settings, plan = build_world(folder / "data")
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        sealer = Sealer(shop, clock=lambda: START)
        outcome = sealer.seal(world.submission("city", folder), world.clients["platform"])
        assert outcome.sealed_digest is not None
        yield Bench(
            shop=shop,
            world=world,
            folder=folder,
            sealed=shop.documents.read_path(outcome.sealed_digest),
            impression=str(outcome.impression),
        )


@pytest.fixture(scope="session")
def passed(bench: Bench) -> Verdict:
    return bench.judge(bench.sealed)


@pytest.fixture(scope="session")
def failed(bench: Bench) -> Verdict:
    data = bytearray(bench.sealed.read_bytes())
    data[300] ^= 1
    return bench.judge(bench.write("changed.pdf", bytes(data)))
