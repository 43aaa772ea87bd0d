"""Files that only their owner may read: written once, durably, and checked when read."""

import os
import secrets
import stat
from pathlib import Path

from keystore.interface import KeyNotWrittenError, KeyUnreadableError

PRIVATE_MODE = 0o600


def read_private(path: Path, *, limit: int, error: type[KeyUnreadableError]) -> bytes:
    """The content of ``path``, at most ``limit`` bytes.

    Raises ``error`` unless it is a regular file (no symbolic link) with mode 0600 that belongs to the
    user of this process; :class:`FileNotFoundError` passes through.
    """
    try:
        # O_NONBLOCK: a named pipe in place of the file must not hang the service.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise error(
            f"打不开文件 {path}：{problem.strerror}；应为普通文件", f"cannot open {path}: {problem.strerror}"
        ) from None
    try:
        _check_status(path, os.fstat(descriptor), error)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise error(f"文件 {path} 超过 {limit} 字节", f"{path} is longer than the {limit} bytes expected at most")
    return content


def _check_status(path: Path, status: os.stat_result, error: type[KeyUnreadableError]) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{path} 不是普通文件", f"{path} is not a regular file")
    mode = stat.S_IMODE(status.st_mode)
    if mode != PRIVATE_MODE:
        raise error(
            f"文件 {path} 的权限为 {mode:04o}，应为 {PRIVATE_MODE:04o}",
            f"{path} has mode {mode:04o}, expected {PRIVATE_MODE:04o}",
        )
    if status.st_uid != os.geteuid():
        raise error(
            f"文件 {path} 属于用户 {status.st_uid}，应属于 {os.geteuid()}",
            f"{path} belongs to user {status.st_uid}, expected {os.geteuid()}",
        )


def write_private(path: Path, content: bytes) -> None:
    """Write ``content`` under a name that does not exist yet; when this returns it is on disk.

    Raises :class:`KeyNotWrittenError`; then nothing stands under ``path`` that was not there before.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        _write_synced(temporary, content)
        try:
            os.link(temporary, path)  # unlike rename, link never replaces a file
        finally:
            temporary.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        raise KeyNotWrittenError(
            f"文件 {path} 已存在，不予覆盖", f"{path} exists already and is never overwritten"
        ) from None
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise KeyNotWrittenError(
            f"写不了文件 {path}：{problem.strerror}", f"cannot write {path}: {problem.strerror}"
        ) from None


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, PRIVATE_MODE)  # the umask may have taken bits away
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def remove_durably(path: Path) -> int:
    """Remove the file under every name it has in its folder; how many there were. Raises :class:`OSError`.

    A crash inside :func:`write_private` can leave the temporary name beside the final one.
    """
    try:
        inode = path.lstat().st_ino
    except FileNotFoundError:
        return 0
    with os.scandir(path.parent) as entries:
        names = [Path(entry.path) for entry in entries if entry.inode() == inode]
    for name in names:
        name.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return len(names)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
