"""The custody process: the only one that holds private keys.

It loads as little as it can, makes no core dump, lets no process of the same user read its memory, and holds a lock so
that there is one for its folder.
"""

import fcntl
import os
import resource
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from custody.clock import utc_now
from custody.errors import CustodyAddressError, CustodyError, CustodyRunsError
from custody.key_thread import KeyThread
from custody.key_work import Check, KeyWork
from custody.server import Server
from custody.settings import Address, ProcessSettings
from custody.state import State
from custody.uses import UseRecord
from keystore.interface import Keystore, KeystoreError

if TYPE_CHECKING:
    import ssl

RECORD = "uses"
PINS = "pins"
ENDED_REFUSED = 3
"""Exit code when the process could not start; the reason is on its standard error."""
_PR_SET_DUMPABLE = 4  # prctl(2)
_LOCK_SECONDS = 5.0
_PROMPT_SECONDS = 300.0  # for a person to type the PIN
_BACKLOG = 256
_WRITABLE_BY_OTHERS = 0o022

Opening = Callable[[], Keystore]


def main(argument: str) -> None:
    """Run with :class:`ProcessSettings` as one argument; how clients start a process on demand."""
    settings = ProcessSettings.from_argument(argument)
    try:
        run(settings)
    except KeystoreError as error:
        sys.stderr.write(f"custody: {error.code}: {error}\n")
        raise SystemExit(ENDED_REFUSED) from None


def run(settings: ProcessSettings, *, opening: Opening | None = None, check: Check | None = None) -> None:
    """Hold the keys and serve until told to end, or until nobody has been connected for the time to linger.

    ``opening`` opens the backend and ``check`` judges each use; by default those of the settings and of
    ``custody.checks``. Raises ``keystore`` errors, :class:`CustodyError` among them.
    """
    keep_memory_private()
    signal.signal(signal.SIGTERM, _end)
    address = Address.read(settings.listen)
    make_private_folder(settings.home)
    with _alone(settings.home), _record(settings) as (record, state):
        opening = opening or partial(_open_backend, settings, record)
        pin_version = partial(_pin_version, settings.keystore)
        work = KeyWork(opening, record, state, check=check or _checks(), clock=utc_now, pin_version=pin_version)
        work.kill_at = settings.kill_at
        keys = KeyThread(work, waiting=settings.waiting)
        if settings.foreground:
            keys.do(KeyWork.open_backend, seconds=_PROMPT_SECONDS)
        with _listen(address, shared=bool(settings.users)) as listening:
            if settings.foreground:
                sys.stderr.write(f"密钥进程 / custody process: {address}\n")
            server = Server(settings, keys, boot=secrets.token_hex(16), clock=utc_now)
            server.serve(listening, _tls(settings, address))


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def keep_memory_private() -> None:
    """No core dump, no ``ptrace``, no reading of ``/proc/<pid>/mem`` by processes of the same user (prctl(2)).

    Raises :class:`CustodyError` where the kernel refuses.
    """
    import ctypes  # noqa: PLC0415  beside its only use

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise CustodyError("内核不允许保护进程内存", "the kernel does not let the process protect its memory")


def make_private_folder(folder: Path) -> None:
    """A folder that its owner alone may write to. Raises :class:`CustodyError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as problem:
        raise CustodyError(
            f"建不了目录 {folder}：{problem.strerror}", f"cannot make the folder {folder}: {problem.strerror}"
        ) from None
    if status.st_mode & _WRITABLE_BY_OTHERS or status.st_uid != os.geteuid():
        raise CustodyError(
            f"目录 {folder} 应只有进程的用户可写",
            f"the folder {folder} should be writable by the user of the process only",
        )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Wait a moment for a process that is about to end."""
    with (home / "lock").open("a") as lock:
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    raise CustodyRunsError(
                        f"{home} 已有密钥进程在用", f"another custody process uses the folder {home}"
                    ) from None
                time.sleep(0.02)
        yield


@contextmanager
def _record(settings: ProcessSettings) -> Iterator[tuple[UseRecord, State]]:
    pins = settings.home / PINS
    make_private_folder(pins)
    state = State(settings.log_origin, pins, learns=settings.pins == "recorded")
    record = UseRecord.open(settings.home / RECORD, utc_now(), each=state.note)
    try:
        yield record, state
    finally:
        record.close()


def _open_backend(settings: ProcessSettings, record: UseRecord) -> Keystore:
    """The backend of the settings; a key-encryption key is made when there has never been a key."""
    from keystore.open import open_keystore  # noqa: PLC0415  loads the libraries that use keys

    path = settings.key_encryption_key
    folder = Path(settings.keystore.removeprefix("file:"))
    if (
        settings.keystore.startswith("file:")
        and record.size == 0
        and not path.exists()
        and not any(folder.glob("*.json"))
    ):
        from keystore.files import FileKeystore  # noqa: PLC0415  as above

        make_private_folder(path.parent)
        FileKeystore.create_key_encryption_key(path)
    return open_keystore(settings.keystore, key_encryption_key=path)


def _pin_version(keystore: str) -> tuple[int, int] | None:
    from keystore.open import pin_version  # noqa: PLC0415  as above

    return pin_version(keystore)


def _checks() -> Check:
    from custody.checks import check_use  # noqa: PLC0415  what only the process itself needs

    return check_use


@contextmanager
def _listen(address: Address, *, shared: bool) -> Iterator[socket.socket]:
    if address.socket is None:
        with socket.create_server((address.host, address.port), backlog=_BACKLOG) as listening:
            yield listening
        return
    with bound(address.socket, shared=shared) as listening:
        yield listening


@contextmanager
def bound(path: Path, *, shared: bool) -> Iterator[socket.socket]:
    """A socket that listens at ``path``, which the holder of the lock may replace. Gone when the block ends.

    Raises :class:`CustodyAddressError`.
    """
    make_private_folder(path.parent) if not path.parent.exists() else None
    with socket.socket(socket.AF_UNIX) as listening, folder_of(path) as short:
        try:
            path.unlink(missing_ok=True)
            before = os.umask(0o111 if shared else 0o177)
            try:
                listening.bind(short)
            finally:
                os.umask(before)
            listening.listen(_BACKLOG)
        except OSError as problem:
            raise CustodyAddressError(
                f"密钥进程无法监听 {path}：{problem.strerror}",
                f"the custody process cannot listen at {path}: {problem.strerror}",
            ) from None
        try:
            yield listening
        finally:
            with suppress(OSError):
                path.unlink()


@contextmanager
def folder_of(path: Path) -> Iterator[str]:
    """A name of ``path`` that fits into the 108 bytes of a socket's address (unix(7)), however deep its folder is."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def _tls(settings: ProcessSettings, address: Address) -> "ssl.SSLContext | None":
    if address.socket is not None:
        return None
    from custody.mutual_tls import context  # noqa: PLC0415  only for a process that others reach over the network

    return context(settings.tls, server=True)
