"""``yinxin custody`` at a console: it holds the keys of an installation whose services are told where it listens."""

import os
import subprocess
import sys
from pathlib import Path

from custody_process import ROOT

from custody.uses import read_uses


def yinxin(*words: str, **settings: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=kept | {f"YINXIN_{name.upper()}": value for name, value in settings.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_services_use_the_process_they_are_told_of(tmp_path: Path) -> None:
    socket = tmp_path / "custody.sock"
    keys, service = tmp_path / "keys-of-another-user", tmp_path / "service"
    with yinxin("custody", "--data", str(keys), "--listen", str(socket), "--user", str(os.geteuid())) as process:
        assert process.stderr is not None
        assert str(socket) in process.stderr.readline()
        code = (
            "from sealing.settings import Settings; from sealing.workshop import initialise;"
            "from sealing.clock import utc_now; initialise(Settings(), utc_now())"
        )
        told = {"YINXIN_DATA": str(service), "YINXIN_CUSTODY": str(socket)}
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **told}, check=True, timeout=60)
        asked = yinxin("checkpoint", "--json", "--data", str(service), custody=str(socket))
        said, complaint = asked.communicate(timeout=60)
        assert asked.returncode == 0, said + complaint
        process.terminate()
        assert process.wait(10) == 0
    assert {line.purpose for line in read_uses(keys / "custody" / "uses")} >= {"ca", "log"}
    assert not (service / "keys").exists()
    assert not (service / "secret" / "key-encryption-key").exists()
    gone = yinxin("checkpoint", "--json", "--data", str(service), custody=str(socket))
    assert "key-service-gone" in gone.communicate(timeout=60)[0]
    assert gone.returncode == 3


def test_a_user_that_is_none_is_named(tmp_path: Path) -> None:
    asked = yinxin("custody", "--data", str(tmp_path), "--user", "nobody-of-this-name")
    assert "user-unknown" in asked.communicate(timeout=60)[1]
    assert asked.returncode == 2


def test_a_keystore_that_does_not_open_is_told_at_the_start(tmp_path: Path) -> None:
    asked = yinxin("custody", "--data", str(tmp_path), keystore="nowhere:x")
    assert "keystore-address" in asked.communicate(timeout=60)[1]
    assert asked.returncode == 3
