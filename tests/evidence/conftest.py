"""One package, with the root and the log key as they would be published."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from world import START, build_world

from sealing.administration.seals import SealPolicy
from sealing.court_package import build_package
from sealing.seal import Sealer
from sealing.workshop import Workshop, open_workshop

sys.path.insert(0, str(Path(__file__).parent))  # evidence_packing, beside the tests


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A package and what judges it: the script out of the package, run by a bare interpreter."""

    shop: Workshop
    folder: Path
    impression: str
    package: bytes

    def members(self, package: bytes | None = None) -> dict[str, bytes]:
        with zipfile.ZipFile(BytesIO(package or self.package)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def judge(self, package: bytes, *, trusted: bool = True) -> tuple[int, str]:
        script, path = self.folder / "judge.py", self.folder / "package.zip"
        script.write_bytes(self.members()["judge.py"])
        path.write_bytes(package)
        anchors = ["--root", "root.pem", "--log-key", "log.vkey"] if trusted else []
        interpreter = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
        command = [str(interpreter), "-I", "judge.py", "package.zip", *anchors]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, timeout=60)
        return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.fixture(scope="session")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    with _court(tmp_path_factory.mktemp("evidence"), SealPolicy(level="PAdES-B-B")) as made:
        yield made


@pytest.fixture(scope="session")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """The same of a seal with a time-stamp."""
    with _court(tmp_path_factory.mktemp("stamped"), SealPolicy(level="PAdES-B-LT")) as made:
        yield made


@contextmanager
def _court(folder: Path, policy: SealPolicy) -> Iterator[Court]:
    settings, plan = build_world(folder / "data", policy=policy)
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        outcome = Sealer(shop, clock=lambda: START).seal(world.submission("city", folder), world.clients["platform"])
        impression = str(outcome.impression)
        (folder / "root.pem").write_text(shop.installation.root)
        (folder / "log.vkey").write_text(shop.identity.vkey)
        package = build_package(shop, impression, START)
        yield Court(shop=shop, folder=folder, impression=impression, package=package)
