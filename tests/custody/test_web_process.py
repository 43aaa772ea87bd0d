"""The processes that serve never hold a private key: their memory is searched for every private scalar."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from servers import Server, running
from test_supervision import processes
from world import World, build_world

from keystore import key_pairs
from keystore.at_rest import KeyEncryptionKey
from sealing.key_service import process_settings
from sealing.settings import Settings
from sealing.workshop import open_workshop

ROOT = Path(__file__).resolve().parents[2]
_CHUNK = 256 * 1024
_SECRET = 32


@dataclass(frozen=True, slots=True)
class Served:
    settings: Settings
    world: World
    server: Server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real server with two processes and its keys behind a custody process; it has sealed something."""
    folder = tmp_path_factory.mktemp("served")
    settings, plan = build_world(folder / "data", datetime.now(UTC), unsafe_in_process_keys=False)
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        submission = world.submission("city", folder)
    with running(settings, folder, processes="2") as server:
        server.log_in(world.clients["platform"].client)
        answer = server.seal(submission)
        assert answer.status_code == 201, answer.text
        yield Served(settings, world, server)


def secrets_of(settings: Settings) -> dict[str, bytes]:
    """The private scalars of all keys of the installation."""
    opened = KeyEncryptionKey.load(settings.key_encryption_key_path)
    found = {}
    for path in (settings.data / "keys").glob("*.json"):
        _, content = opened.decrypt(f"file:{path.stem}", path.read_bytes())
        key = key_pairs.load(content)
        if isinstance(key, EllipticCurvePrivateKey):
            found[path.stem] = key.private_numbers().private_value.to_bytes(_SECRET, "big")
        elif isinstance(key, Ed25519PrivateKey):
            found[path.stem] = key.private_bytes_raw()
    return found


def holds(pid: int, secrets: dict[str, bytes]) -> set[str] | None:
    """Names of those secrets that stand in the memory of the process, either way round as libraries keep numbers.

    None when the process has ended meanwhile, as a worker does after its one task.
    """
    searched = [(name, needle) for name, each in secrets.items() for needle in (each, each[::-1])]
    found: set[str] = set()
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for begin, end in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, flags=re.MULTILINE):
            for part in _parts(memory, int(begin, 16), int(end, 16)):
                found |= {name for name, needle in searched if needle in part}
    return found


def _parts(memory, begin: int, end: int) -> Iterator[bytes]:
    at = begin
    while at < end:
        memory.seek(at)
        try:
            part = memory.read(min(_CHUNK, end - at) + _SECRET)
        except OSError:  # a mapping that cannot be read, e.g. of the kernel
            return
        if not part:
            return
        if part.count(0) < len(part):
            yield part
        at += min(_CHUNK, end - at)


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def test_no_process_that_serves_holds_a_private_key(served: Served) -> None:
    secrets = secrets_of(served.settings)
    assert {name.partition("-")[0] for name in secrets} >= {"ca", "log", "token", "seal", "ocsp", "timestamp", "report"}
    (custody,) = processes(process_settings(served.settings))
    serving = [pid for pid in family(served.server.process.pid) if pid != custody]
    found = {pid: held for pid in serving if (held := holds(pid, secrets)) is not None}
    assert len(found) >= 3
    assert found == {pid: set() for pid in found}


def test_the_search_finds_a_key_where_one_is(served: Served) -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]; from pathlib import Path; from keystore.files import FileKeystore;"
        "keys = FileKeystore(Path(sys.argv[2]), Path(sys.argv[3])); held = [keys.open(each) for each in keys.refs()];"
        "print('ready', flush=True); sys.stdin.read()"
    )
    where = [str(ROOT), str(served.settings.data / "keys"), str(served.settings.key_encryption_key_path)]
    with subprocess.Popen(
        [sys.executable, "-c", code, *where], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        secrets = secrets_of(served.settings)
        assert holds(holder.pid, secrets) == set(secrets)
        holder.kill()


def test_server_processes_and_commands_share_one_custody_process(served: Served) -> None:
    command = [sys.executable, "-m", "cli", "checkpoint", "--json", "--data", str(served.settings.data)]
    asking = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    answers = [each.communicate(timeout=60)[0] for each in asking]
    assert [each.returncode for each in asking] == [0, 0]
    assert len({json.loads(each)["root"] for each in answers}) == 1
    assert len(processes(process_settings(served.settings))) == 1


def test_the_server_loads_no_backend_of_private_keys(served: Served) -> None:
    code = (
        "import sys; from pathlib import Path; import api.server, web.pages, sealing.seal;"
        "from sealing.settings import Settings; from sealing.workshop import open_workshop\n"
        "with open_workshop(Settings(data=Path(sys.argv[1]))): print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code, str(served.settings.data)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert {"keystore.interface", "custody.client"} <= set(loaded.stdout.split())
    backends = {"keystore.files", "keystore.at_rest", "keystore.key_pairs", "keystore.open", "pkcs11", "keystore.vault"}
    assert backends & set(loaded.stdout.split()) == set()


def test_it_still_seals_after_its_custody_process_was_killed(served: Served, tmp_path: Path) -> None:
    (custody,) = processes(process_settings(served.settings))
    submission = served.world.submission("town", tmp_path)
    os.kill(custody, signal.SIGKILL)
    answer = served.server.seal(submission)
    assert answer.status_code == 201, answer.text
    (started,) = processes(process_settings(served.settings))
    assert started != custody
