"""On demand: started by whoever needs it, one for all, ended when nobody does, started again when it died."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from custody_process import TESTS, command, eventually, running, settings_in, sign

from custody.client import CustodyKeystore
from custody.connection import on_demand, to_address
from custody.errors import CustodyError
from custody.settings import Address, ProcessSettings
from custody.uses import read_uses
from keystore.interface import KeyServiceGoneError, Permit


@contextmanager
def demanding(settings: ProcessSettings) -> Iterator[CustodyKeystore]:
    keystore = CustodyKeystore(on_demand(settings, command), seconds=5)
    try:
        yield keystore
    finally:
        keystore.close()


def processes(settings: ProcessSettings) -> list[int]:
    """The custody processes of this folder that run: while one thread does, its sockets are open."""
    found = set()
    for thread in Path("/proc").glob("[0-9]*/task/[0-9]*"):
        try:
            words = (thread / "cmdline").read_bytes()
            status = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(settings.home).encode() in words and b"custody.process" in words and status not in "ZX":
            found.add(int(thread.parts[2]))
    return sorted(found)


def test_it_is_started_at_the_first_need_and_ends_after_the_last(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, linger=0.3)
    assert not Path(settings.listen).exists()
    with demanding(settings) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        time.sleep(0.6)  # an open connection keeps it
        assert sign(keystore, key.ref, b"m")
        assert len(processes(settings)) == 1
    assert eventually(lambda: not processes(settings))
    assert not Path(settings.listen).exists()


def test_many_threads_at_once_start_one(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, linger=1.0)
    keystores = [CustodyKeystore(on_demand(settings, command), seconds=5) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(CustodyKeystore.ping, keystores))
    assert len(processes(settings)) == 1
    for each in keystores:
        each.close()


def test_processes_that_start_at_once_share_one(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, linger=1.0)
    code = (
        "import sys; sys.path[:0] = [sys.argv[2], sys.argv[2] + '/..', sys.argv[2] + '/custody'];"
        "from custody_process import *; from custody.connection import on_demand;"
        "settings = ProcessSettings.from_argument(sys.argv[1]);"
        "k = CustodyKeystore(on_demand(settings, command), seconds=5);"
        "sign(k, k.generate('seal', 'ecdsa-p256-sha256').ref, b'm')"
    )
    asking = [subprocess.Popen([sys.executable, "-c", code, settings.to_argument(), str(TESTS)]) for _ in range(3)]
    assert [each.wait(60) for each in asking] == [0, 0, 0]
    events = [line.event for line in read_uses(settings.home / "uses")]
    assert sorted(events) == ["generation"] * 3 + ["use"] * 3


def test_a_process_that_was_killed_is_started_again_and_nothing_is_asked_of_the_dead(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, linger=1.0)
    with demanding(settings) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        (first,) = processes(settings)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: not processes(settings))
        assert sign(keystore, key.ref, b"m")  # the idle connection was seen to be closed: nothing was sent
        (second,) = processes(settings)
    assert second != first


def test_killed_over_and_over_while_clients_sign(tmp_path: Path) -> None:
    """Every signature that came out is in the record; no call hangs; every failure is a typed one."""
    settings = settings_in(tmp_path, linger=1.0)
    with demanding(settings) as keystore, ThreadPoolExecutor(4) as threads:
        key = keystore.generate("seal", "ecdsa-p256-sha256")

        def signs(number: int) -> bool:
            try:
                return bool(sign(keystore, key.ref, b"message %d" % number))
            except KeyServiceGoneError:
                return False

        answers = [threads.submit(signs, number) for number in range(120)]
        for _ in range(3):
            time.sleep(0.1)
            for each in processes(settings):
                os.kill(each, signal.SIGKILL)
        signed = [number for number, each in enumerate(answers) if each.result(60)]
    recorded = {line.about.get("serial") for line in read_uses(settings.home / "uses") if line.event == "use"}
    assert {f"message {number}" for number in signed} <= recorded
    assert len(signed) > 60


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.home.mkdir(mode=0o777)
    settings.home.chmod(0o777)
    with demanding(settings) as keystore, pytest.raises(CustodyError, match="writable by the user of the process only"):
        keystore.ping()


def test_a_process_that_somebody_else_looks_after_is_not_started(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    keystore = CustodyKeystore(to_address(Address.read(settings.listen)), seconds=5)
    with pytest.raises(KeyServiceGoneError, match="no key was used"):
        keystore.ping()
    with running(settings):
        keystore.ping()
    with pytest.raises(KeyServiceGoneError):
        keystore.ping()
    with running(settings):
        keystore.ping()
    keystore.close()


def test_a_use_that_may_have_been_taken_is_not_sent_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, kill_at="after_use", linger=1.0)
    with running(settings), demanding(settings) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        permit = Permit.to_sign(key, b"m")
        with pytest.raises(KeyServiceGoneError):
            key.sign(permit, b"m")
    assert [line.event for line in read_uses(settings.home / "uses")] == ["generation", "use"]


def test_told_to_end_it_ends_in_order(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with running(settings) as process:
        process.terminate()
        assert process.wait(10) == 0
    assert not Path(settings.listen).exists()
