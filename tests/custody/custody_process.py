"""Real custody processes for tests: the program, run with a backend and checks that a test names."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from custody.client import CustodyKeystore
from custody.connection import to_address
from custody.requests import CheckState, UseRequest
from custody.settings import Address, ProcessSettings
from keystore.interface import GroundsError, KeyServiceGoneError, Keystore, Permit, SigningKey

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
BOOT = """
import sys
sys.path[:0] = {paths!r}
from custody.process import run
from custody.settings import ProcessSettings
import custody_process as made
settings = ProcessSettings.from_argument(sys.argv[1])
run(settings, check=made.tell_message{more})
"""


def tell_message(request: UseRequest, state: CheckState, now: Any) -> Mapping[str, Any]:
    """Checks of a test: what was asked is told in the record; the word ``forbidden`` is refused."""
    if b"forbidden" in request.message:
        raise GroundsError("测试拒绝", "refused by the test")
    about: dict[str, Any] = {"serial": request.message[:20].decode("ascii", "replace")}
    if request.grounds is not None:
        about["grounds"] = dict(request.grounds)
    if request.file is not None:
        about["file"] = request.file.read().decode("ascii", "replace")[:100]
    return about


@dataclass(slots=True)
class SlowKey:
    """A key of a backend that hangs when it is told to sign ``hang``, and takes its time over ``slow``."""

    key: SigningKey

    @property
    def ref(self) -> str:
        return self.key.ref

    @property
    def purpose(self) -> Any:
        return self.key.purpose

    @property
    def algorithm(self) -> Any:
        return self.key.algorithm

    @property
    def public_key(self) -> bytes:
        return self.key.public_key

    def sign(self, permit: Permit, message: bytes) -> bytes:
        if message.startswith(b"hang"):
            time.sleep(3600)
        if message.startswith(b"slow"):
            time.sleep(0.5)
        return self.key.sign(permit, message)


@dataclass(slots=True)
class SlowKeystore:
    """A whole file keystore with keys that can hang."""

    keys: Keystore

    def generate(self, purpose: Any, algorithm: Any) -> SlowKey:
        return SlowKey(self.keys.generate(purpose, algorithm))

    def open(self, ref: str) -> SlowKey:
        return SlowKey(self.keys.open(ref))

    def refs(self) -> list[str]:
        return self.keys.refs()

    def destroy(self, ref: str, grounds: Any = None) -> Any:
        return self.keys.destroy(ref, grounds)


def open_slow(settings: ProcessSettings) -> Keystore:
    from keystore.files import FileKeystore
    from keystore.open import open_keystore

    settings.key_encryption_key.parent.mkdir(exist_ok=True)
    if not settings.key_encryption_key.exists():
        FileKeystore.create_key_encryption_key(settings.key_encryption_key)
    return SlowKeystore(open_keystore(settings.keystore, key_encryption_key=settings.key_encryption_key))


def settings_in(folder: Path, **changed: Any) -> ProcessSettings:
    return replace(
        ProcessSettings(
            home=folder / "custody",
            keystore=f"file:{folder / 'keys'}",
            key_encryption_key=folder / "secret" / "key-encryption-key",
            log_origin="test.example/log",
            listen=str(folder / "run" / "custody.sock"),
        ),
        **changed,
    )


def command(settings: ProcessSettings, more: str = "") -> list[str]:
    boot = BOOT.format(paths=[str(ROOT), str(TESTS), str(Path(__file__).parent)], more=more)
    return [sys.executable, "-X", "utf8", "-c", boot, settings.to_argument()]


@contextmanager
def running(settings: ProcessSettings, more: str = "", **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A custody process with :func:`tell_message` as its checks, up and listening; killed at the end."""
    process = subprocess.Popen(command(settings, more), cwd="/", **how)
    try:
        await_up(settings, process)
        yield process
    finally:
        process.kill()
        process.wait()


def await_up(settings: ProcessSettings, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    probe = Path(settings.listen)
    while time.monotonic() < until:
        assert process.poll() is None, "the custody process ended"
        if probe.exists() or settings.listen.startswith("tls:"):
            try:
                with client(settings) as keystore:
                    keystore.ping()
            except KeyServiceGoneError:
                pass
            else:
                return
        time.sleep(0.01)
    raise AssertionError("the custody process did not come up")


@contextmanager
def client(settings: ProcessSettings, *, seconds: float = 5.0) -> Iterator[CustodyKeystore]:
    keystore = CustodyKeystore(to_address(Address.read(settings.listen), tls=settings.tls), seconds=seconds)
    try:
        yield keystore
    finally:
        keystore.close()


def sign(keystore: Keystore, ref: str, message: bytes) -> bytes:
    key = keystore.open(ref)
    return key.sign(Permit.to_sign(key, message), message)


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False
