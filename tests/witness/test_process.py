"""The witness as a process of its own: HTTP, its key, kill and restart, and what it never loads."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from ledger_world import LogKey
from witness_world import TreeLog, running_witness

from ledger.cosignature import merge, read_cosignatures
from witness.request import LONGEST

STRANGER = TreeLog(key=LogKey(b"\x08" * 32)).grow(2)
UNKNOWN = TreeLog(origin="another.example/log").grow(2)


def test_the_whole_exchange_over_http(tmp_path: Path) -> None:
    log = TreeLog().grow(9)
    with running_witness(tmp_path / "w", log.identity) as witness:
        first = witness.post(log.request(0, 5))
        assert (first.status_code, first.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        (found,) = read_cosignatures(merge(log.note(5), first.text), [witness.identity])
        assert found.witness.name == "witness.example/w1"
        conflict = witness.post(log.request(0))
        assert (conflict.status_code, conflict.headers["content-type"]) == (409, "text/x.tlog.size")
        assert conflict.text == "5\n"
        forked = log.fork().grow(2, "another")
        assert witness.post(log.request(5)).status_code == 200
        assert witness.post(forked.request(9)).status_code == 200
        assert witness.post(log.grow(2).request(11)).status_code == 409
        assert witness.post(log.grow(1).request(11)).status_code == 422
        assert [witness.post(body).status_code for body in (b"", STRANGER.request(0), UNKNOWN.request(0))] == [
            400, 403, 404,
        ]  # fmt: skip
        assert witness.post(bytes(LONGEST + 1)).status_code == 413
        assert httpx2.get(f"{witness.address}/add-checkpoint", timeout=5).status_code == 405
        assert httpx2.get(f"{witness.address}/vkey", timeout=5).text.strip() == witness.vkey


def test_a_killed_witness_remembers_what_it_cosigned(tmp_path: Path) -> None:
    log, folder = TreeLog().grow(6), tmp_path / "w"
    with running_witness(folder, log.identity) as witness:
        vkey = witness.vkey
        assert witness.post(log.request(0)).status_code == 200
        witness.process.send_signal(signal.SIGKILL)
        witness.process.wait(10)
    forked = TreeLog().grow(3).grow(3, "another")
    with running_witness(folder, log.identity) as witness:
        assert witness.vkey == vkey
        assert witness.post(forked.request(0)).text == "6\n"
        assert witness.post(forked.request(6)).status_code == 409
        assert witness.post(log.request(6)).status_code == 200


def test_its_files_are_its_own(tmp_path: Path) -> None:
    log, folder = TreeLog().grow(1), tmp_path / "w"
    with running_witness(folder, log.identity):
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
        assert modes["key-encryption-key"] == 0o600
        assert modes["identity.json"] == 0o600
        assert [mode for name, mode in modes.items() if name.startswith("witness-")] == [0o600]
        again = start(folder, folder / "logs.txt")
        assert again.returncode == 3
        assert "witness-running" in again.stderr
    (folder / "state.json").unlink()
    assert "state-unreadable" in start(folder, folder / "logs.txt").stderr


def start(folder: Path, logs: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "witness", str(folder), "--logs", str(logs), "--port", "0", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("listed", "more", "code"),
    [
        ("", ["--name", "w"], "logs-unclear"),
        (f"{STRANGER.identity.vkey}\n" * 2, ["--name", "w"], "logs-unclear"),
        ("no key\n", ["--name", "w"], "logs-unreadable"),
        (f"{STRANGER.identity.vkey}\n", [], "witness-unnamed"),
        (f"{STRANGER.identity.vkey}\n", ["--name", "a b"], "checkpoint-invalid"),
    ],
    ids=["empty", "twice", "no-key", "unnamed", "bad-name"],
)
def test_it_does_not_start_with_what_is_unclear(tmp_path: Path, listed: str, more: list[str], code: str) -> None:
    logs = tmp_path / "logs.txt"
    logs.write_text(listed, encoding="utf-8")
    ran = start(tmp_path / "w", logs, *more)
    assert ran.returncode in (1, 3)
    assert ran.stderr.startswith(code)


def test_a_witness_loads_no_database_and_nothing_of_the_service() -> None:
    program = (
        "import sys, json, witness.server, witness.home, cli.commands.witnessing, sealing.clock;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout))
    ours = {name for name in loaded if name.split(".")[0] in {"sealing", "registry", "api", "signer", "verify", "web"}}
    assert ours == {"sealing", "sealing.clock"}
    assert not {name.split(".")[0] for name in loaded} & {"sqlalchemy", "alembic", "pikepdf", "fastapi", "pydantic"}
