"""Backup and restore in processes that are killed at a sync, a link or a rename: what has the name is whole.

Each step is counted once in a run that is left alone; then other runs are killed at the first, some in between, and the
last of them. Afterwards the same command succeeds.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest
from world import build_world

from sealing.audit import audit
from sealing.backup import back_up
from sealing.clock import utc_now
from sealing.restore import Restoring, restore
from sealing.settings import Settings
from sealing.workshop import open_workshop

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import os, signal, sys
stop, steps = int(sys.argv[1]), [0]
def counted(name):
    real = getattr(os, name)
    def call(*args, **kwargs):
        steps[0] += 1
        if steps[0] == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    setattr(os, name, call)
for name in ("fsync", "link", "rename", "replace"):
    counted(name)
from cli.main import app
try:
    app(sys.argv[2:])
finally:
    print("steps", steps[0], flush=True)
"""


@dataclass(frozen=True)
class Site:
    """An installation, an age identity, and a whole backup."""

    settings: Settings
    folder: Path
    identity: Path
    recipient: str
    backup: Path

    def run(self, stop: int, *words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", _PROGRAM, str(stop), *map(str, words), "--data", str(self.settings.data)]
        environment = {**os.environ, "YINXIN_UNSAFE_IN_PROCESS_KEYS": "true"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def backing_up(self, target: Path, stop: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(stop, "backup", target, "--recipient", self.recipient, "--with-key-encryption-key")

    def restoring(self, target: Path, stop: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(stop, "restore", self.backup, target, "--identity", self.identity)

    def check(self, target: Path) -> None:
        """A folder that has the name is a whole and sound installation."""
        with open_workshop(self.settings.model_copy(update={"data": target})) as shop:
            assert [each.en for each in audit(shop, utc_now()) if each.severity == "broken"] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("killed")
    settings, plan = build_world(folder / "data", utc_now())
    identity = pyrage.x25519.Identity.generate()
    path = folder / "identity"
    path.touch(mode=0o600)
    path.write_text(f"{identity}\n")
    recipient = str(identity.to_public())
    with open_workshop(settings) as shop:
        plan.fill(shop)
        back_up(shop, folder / "whole.age", [recipient], utc_now(), with_key_encryption_key=True)
    return Site(settings=settings, folder=folder, identity=path, recipient=recipient, backup=folder / "whole.age")


def steps(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.rsplit("steps", 1)[1])


def some(count: int) -> list[int]:
    """The first, the last, and some in between."""
    assert count >= 3
    return sorted({1, count // 2, count - 1, count})


def test_a_killed_backup_leaves_none_or_a_whole_one(site: Site, tmp_path: Path) -> None:
    for stop in some(steps(site.backing_up(tmp_path / "counted.age"))):
        target = tmp_path / f"{stop}.age"
        assert site.backing_up(target, stop).returncode == -signal.SIGKILL
        if not target.exists():
            assert site.backing_up(target).returncode == 0
        asked = Restoring(backup=target, folder=tmp_path / f"back-{stop}", identity=site.identity)
        restore(site.settings, asked, utc_now())
        site.check(tmp_path / f"back-{stop}")


def test_a_killed_restore_leaves_nothing_or_a_whole_installation(site: Site, tmp_path: Path) -> None:
    for stop in some(steps(site.restoring(tmp_path / "counted"))):
        target = tmp_path / f"at-{stop}"
        assert site.restoring(target, stop).returncode == -signal.SIGKILL
        if not target.exists():
            assert site.restoring(target).returncode == 0
        site.check(target)
