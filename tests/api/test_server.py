"""The real server process: it starts, serves, and finishes what it began when it is told to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from world import START, build_world

from api.server import application
from sealing import clock
from sealing.clock import utc_now
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import initialise, open_workshop

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (
    "from sealing.settings import Settings; from api.server import serve; from web.pages import add_pages; "
    "serve(Settings(), complete=add_pages)"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(data: Path, **settings: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server over the installation in ``data``; its process and its address."""
    port = free_port()
    values = {"data": data, "port": port, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")}
    environment |= {f"YINXIN_{name.upper()}": str(value) for name, value in values.items()}
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process)
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(address: str, process: subprocess.Popen[str]) -> None:
    for _ in range(300):
        assert process.poll() is None, process.communicate()[1]
        try:
            if httpx2.get(f"{address}/ready", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not become ready")


@pytest.mark.parametrize("processes", [1, 2])
def test_it_serves_and_stops(tmp_path: Path, processes: int) -> None:
    initialise(Settings(data=tmp_path / "data"), utc_now())
    with running(tmp_path / "data", processes=processes) as (process, address):
        for _ in range(4):
            answer = httpx2.get(f"{address}/v1/log", timeout=10)
            assert answer.json()["size"] == 7  # the installation; intent and certificate of three service keys
        assert httpx2.get(f"{address}/v1/organs", timeout=10).status_code == 401
        assert "server" not in answer.headers
        process.send_signal(signal.SIGTERM)
        _, written = process.communicate(timeout=30)
    events = [json.loads(line) for line in written.splitlines()]
    assert any(event["event"] == "serving" for event in events)
    assert [event["attempts"] for event in events if event["event"] == "recovered"] == [0] * processes
    assert sum(event["event"] == "Application shutdown complete." for event in events) == processes
    assert process.returncode in {0, -signal.SIGTERM}


class DiedError(BaseException):
    """Ends a worker where ``kill -9`` would."""


def installation_with_an_open_attempt(folder: Path) -> Settings:
    settings, plan = build_world(folder / "data")
    with open_workshop(settings) as shop:
        world = plan.fill(shop)

        def die(step: str) -> None:
            if step == "intent_committed":
                raise DiedError

        with pytest.raises(DiedError):
            Sealer(shop, clock=lambda: START, at=die).seal(world.submission("city", folder), world.clients["platform"])
    return settings


@pytest.mark.parametrize(("later", "closed"), [(timedelta(seconds=1), 0), (timedelta(days=1), 1)])
def test_what_a_dead_process_left_open_is_closed_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], later: timedelta, closed: int
) -> None:
    """Only attempts whose lease is over: another process may still be at work on the others."""
    settings = installation_with_an_open_attempt(tmp_path)
    monkeypatch.setattr(clock, "utc_now", lambda: START + later)
    with TestClient(application(settings)):
        pass
    (told,) = (json.loads(line) for line in capsys.readouterr().err.splitlines() if '"recovered"' in line)
    assert told["attempts"] == closed
    with open_workshop(settings) as shop, shop.database.read() as connection:
        assert len(shop.book.indexes(connection, "seal.abandoned")) == closed


def test_an_attempt_whose_row_was_changed_does_not_keep_the_service_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = installation_with_an_open_attempt(tmp_path)
    with open_workshop(settings) as shop, shop.database.write() as connection:
        connection.execute(text("UPDATE attempts SET intent_entry = 1"))
    monkeypatch.setattr(clock, "utc_now", lambda: START + timedelta(days=1))
    with TestClient(application(settings)) as http:
        assert http.get("/v1/log").status_code == 200
    (told,) = (json.loads(line) for line in capsys.readouterr().err.splitlines() if "recovery-incomplete" in line)
    assert told["code"] == "row-tampered"


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    initialise(Settings(data=tmp_path / "data"), utc_now())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = os.environ | {
            "YINXIN_DATA": str(tmp_path / "data"),
            "YINXIN_PORT": str(taken.getsockname()[1]),
        }
        done = subprocess.run(
            [sys.executable, "-c", COMMAND],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode != 0
    assert "Address already in use" in done.stderr


def test_an_installation_that_is_not_there(tmp_path: Path) -> None:
    environment = os.environ | {"YINXIN_DATA": str(tmp_path / "none"), "YINXIN_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "not-initialised" in done.stderr or "run yinxin serve" in done.stderr
