"""From an address to a connection that has said hello; on demand the process is started first."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from custody.errors import CustodyError, FrameError, error_of
from custody.frames import Channel
from custody.permits import read_secret
from custody.settings import Address, ProcessSettings
from keystore.interface import KeyServiceBusyError, KeyServiceGoneError, KeystoreError

CONNECT_SECONDS = 5.0
START_SECONDS = 60.0
"""A record of millions of uses is read through first."""
LINGER_SECONDS = 3.0
"""What a process that was started on demand waits for the next connection before it ends."""
_RETRY_SECONDS = 0.01
_HOME = str(Path(__file__).resolve().parent.parent)
_BOOT = "import sys; sys.path[:0] = [{home!r}]; from custody.process import main; main(sys.argv[1])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection, and what the process said of itself when it opened."""

    channel: Channel
    boot: str
    secret: bytes = field(repr=False)

    def close(self) -> None:
        """Close it."""
        self.channel.close()


Connecting = Callable[[], Connection]
Program = Callable[[ProcessSettings], list[str]]


def command(settings: ProcessSettings) -> list[str]:
    """How the process is started: the isolated interpreter, and this program."""
    return [sys.executable, "-I", "-X", "utf8", "-c", _BOOT.format(home=_HOME), settings.to_argument()]


def to_address(address: Address, *, tls: Path | None = None) -> Connecting:
    """Connections to a process that somebody else starts and looks after. Raises ``CustodyAddressError``."""
    if address.socket is not None:
        return lambda: _greeted(_local(address.socket, seconds=CONNECT_SECONDS))  # type: ignore[arg-type]  # seen above
    from custody.mutual_tls import context  # noqa: PLC0415  only where the process is on another host

    made = context(tls, server=False)

    def secured() -> socket.socket:
        plain = socket.create_connection((address.host, address.port), CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made.wrap_socket(plain, server_hostname=address.host)

    return lambda: _greeted(secured)


def on_demand(settings: ProcessSettings, program: Program = command) -> Connecting:
    """Connections to the process of ``settings`` on this host, started with ``program`` when it does not run."""
    return _OnDemand(settings, program)


@dataclass(frozen=True, slots=True)
class _OnDemand:
    settings: ProcessSettings
    program: Program

    def __call__(self) -> Connection:
        try:
            return self._connect()
        except _NotThereError:
            with self._starting():
                return self._start_and_connect()

    @property
    def _socket(self) -> Path:
        return Path(self.settings.listen)

    def _connect(self) -> Connection:
        return _greeted(_local(self._socket, seconds=CONNECT_SECONDS), absent=_NotThereError)

    def _start_and_connect(self) -> Connection:
        """Called by one client at a time; another may have started it just before."""
        until = time.monotonic() + START_SECONDS
        process: subprocess.Popen[bytes] | None = None
        while time.monotonic() < until:
            with suppress(_NotThereError):
                return self._connect()
            if process is None or process.poll() is not None:
                if process is not None:
                    self._explain(process.returncode)
                process = self._start()
            time.sleep(_RETRY_SECONDS)
        raise _absent(f"{self._socket}", KeyServiceGoneError)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  our own interpreter and our own text
                self.program(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        Thread(target=process.wait, name="custody-reaper", daemon=True).start()
        return process

    @property
    def _log(self) -> Path:
        return self._socket.parent / "custody.log"

    def _explain(self, status: int) -> None:
        """A process that ended because it could not start says why; one that was killed is started again."""
        if status < 0:
            return
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
        raise CustodyError(
            f"密钥进程无法启动（状态 {status}）：{said}",
            f"the custody process could not start (status {status}): {said}",
        )

    @contextmanager
    def _starting(self) -> Iterator[None]:
        folder = self._socket.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (folder / "start.lock").open("a")
        except OSError as problem:
            raise CustodyError(
                f"建不了目录 {folder}：{problem.strerror}", f"cannot make the folder {folder}: {problem.strerror}"
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _NotThereError(KeyServiceGoneError):
    """Nobody listens: nothing was sent, so it is safe to start the process and to try again."""


def _local(path: Path, *, seconds: float) -> Callable[[], socket.socket]:
    def connect() -> socket.socket:
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.settimeout(seconds)
            folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                connected.connect(f"/proc/self/fd/{folder}/{path.name}")  # sun_path has 108 bytes (unix(7))
            finally:
                os.close(folder)
        except BaseException:
            connected.close()
            raise
        return connected

    return connect


def _greeted(
    connect: Callable[[], socket.socket], *, absent: type[KeyServiceGoneError] = KeyServiceGoneError
) -> Connection:
    """Connect and hear what the process says first. Raises ``absent`` when there is none, and what it refuses with."""
    try:
        channel = Channel(connect())
    except BlockingIOError:  # more wait to be let in than the system keeps
        raise KeyServiceBusyError("密钥进程繁忙", "the custody process is busy") from None
    except PermissionError as problem:
        raise _no_entry(problem) from None
    except OSError as problem:
        raise _absent(str(problem), absent) from None
    try:
        return _introduced(channel)
    except (OSError, FrameError, KeyError, ValueError):
        channel.close()
        raise _absent("hello", absent) from None
    except KeystoreError:
        channel.close()
        raise


def _introduced(channel: Channel) -> Connection:
    received = channel.receive()
    hello: dict[str, Any] = {} if received is None else received[0]
    if hello.get("ok") is False:
        raise error_of(hello)
    return Connection(channel=channel, boot=str(hello["boot"]), secret=read_secret(hello.get("secret")))


def _no_entry(problem: OSError) -> CustodyError:
    return CustodyError(
        f"不得连接密钥进程：{problem.strerror}", f"connecting to the custody process is not allowed: {problem.strerror}"
    )


def _absent(where: str, kind: type[KeyServiceGoneError]) -> KeyServiceGoneError:
    return kind(
        f"密钥进程没有运行或无法连接（{where}）；密钥未使用",
        f"the custody process does not run or cannot be reached ({where}); no key was used",
    )
