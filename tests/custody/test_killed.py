"""kill -9 of the real custody process at every step of a seal: ``audit --keys`` is clean, and sealing goes on."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from custody_process import ROOT, TESTS, await_up, eventually
from test_supervision import processes
from world import World, build_world

from custody.settings import ProcessSettings
from keystore.interface import GroundsError, KeyServiceGoneError, Permit
from ledger.checkpoint import Checkpoint
from sealing.administration.seals import SealPolicy, set_policy
from sealing.audit import audit
from sealing.audit_keys import audit_keys
from sealing.clock import utc_now
from sealing.key_service import process_settings
from sealing.seal import STEPS, Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

CUSTODY_STEPS = ("asked", "before_record", "after_record", "after_use", "before_answer")
_BOOT = (
    "import sys; sys.path[:0] = {paths!r}; import killed_checks;"
    "'custody.process'; killed_checks.main(sys.argv[1], sys.argv[2])"
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """An installation that never had its keys anywhere but in the custody process."""
    folder = tmp_path_factory.mktemp("custody") / "data"
    settings, plan = build_world(folder, datetime.now(UTC), unsafe_in_process_keys=False)
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        assert audit_keys(shop).findings == []
    return folder, world


@contextmanager
def opened(template: tuple[Path, World], folder: Path) -> Iterator[World]:
    source, world = template
    if not (folder / "data").exists():
        shutil.copytree(source, folder / "data", ignore=shutil.ignore_patterns("run"))
    with open_workshop(Settings(data=folder / "data")) as shop:
        yield replace(world, shop=shop)


def settled(shop: Workshop) -> None:
    """Nothing is wrong, and nothing is told of that did not happen."""
    assert audit_keys(shop).findings == []
    assert [each for each in audit(shop, utc_now()) if each.severity == "broken"] == []


@contextmanager
def doomed(settings: ProcessSettings, step: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process that will not live through its first use of a seal's key."""
    boot = _BOOT.format(paths=[str(ROOT), str(TESTS), str(Path(__file__).parent)])
    command = [sys.executable, "-X", "utf8", "-c", boot, replace(settings, linger=None).to_argument(), step]
    process = subprocess.Popen(command, cwd="/")
    try:
        await_up(settings, process)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("step", CUSTODY_STEPS)
def test_killed_while_it_uses_the_seals_key(template: tuple[Path, World], tmp_path: Path, step: str) -> None:
    source, _ = template
    shutil.copytree(source, tmp_path / "data", ignore=shutil.ignore_patterns("run"))
    with (
        doomed(process_settings(Settings(data=tmp_path / "data")), step) as process,
        opened(template, tmp_path) as world,
    ):
        submission, caller = world.submission("city", tmp_path), world.clients["platform"]
        with pytest.raises(KeyServiceGoneError):
            Sealer(world.shop).seal(submission, caller)
        assert process.wait(10) == -signal.SIGKILL
        assert audit_keys(world.shop).findings == []
        assert Sealer(world.shop).seal(submission, caller).state == "sealed"  # by a process that was started again
        settled(world.shop)


def test_killed_at_every_step_of_the_cycle(template: tuple[Path, World], tmp_path: Path) -> None:
    with opened(template, tmp_path) as world:
        act = replace(world.act("选定级别"), now=utc_now())
        set_policy(world.shop, world.seals["city"], SealPolicy(level="PAdES-B-LTA", check_mark="none"), act)
        custody, killed = process_settings(world.shop.settings), []

        def at(step: str) -> None:
            doomed = processes(custody)
            for each in doomed:
                os.kill(each, signal.SIGKILL)
            # Its sockets are closed for certain when all its threads are gone: once it was waited for.
            assert eventually(lambda: not any(Path(f"/proc/{each}").exists() for each in doomed))
            killed.append(step)

        outcome = Sealer(world.shop, at=at).seal(world.submission("city", tmp_path), world.clients["platform"])
        assert outcome.state == "sealed"
        assert tuple(killed) == STEPS
        settled(world.shop)


def test_the_real_process_refuses_what_its_checks_refuse(template: tuple[Path, World], tmp_path: Path) -> None:
    with opened(template, tmp_path) as world:
        key = world.shop.keystore.open(world.shop.installation.log_key)
        message = Checkpoint(origin=world.shop.identity.origin, size=10_000, root=bytes(32)).body().encode()
        with pytest.raises(GroundsError, match="did not come along"):
            key.sign(Permit.to_sign(key, message), message)
        settled(world.shop)


def test_a_record_that_was_taken_away_is_missed(template: tuple[Path, World], tmp_path: Path) -> None:
    """Whoever cuts the end off the record while the process is away hides a use, and the impression tells."""
    with opened(template, tmp_path) as world:
        Sealer(world.shop).seal(world.submission("city", tmp_path), world.clients["platform"])
        settings = process_settings(world.shop.settings)
        for each in processes(settings):
            os.kill(each, signal.SIGKILL)
        record = settings.home / "uses"
        lines = record.read_bytes().splitlines(keepends=True)
        at = next(number for number, line in enumerate(lines) if b'"form":"seal"' in line)
        record.write_bytes(b"".join(lines[:at]))
        assert "impression-without-use" in {each.code for each in audit_keys(world.shop).findings}
