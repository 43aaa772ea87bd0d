"""The revocation list of a root whose key is offline: brought from there, kept in a file, served while it holds."""

import os
from datetime import datetime
from pathlib import Path

from authority.errors import AuthorityError
from authority.revocation import RevocationList, read_crl
from sealing.errors import InstallationError
from sealing.installation import Installation
from sealing.settings import Settings

NAME = "root.crl"
_LONGEST = 1_000_000


def current_root_list(settings: Settings, installation: Installation, now: datetime) -> bytes:
    """The list as last accepted, DER. Raises :class:`InstallationError` when it is missing, changed or stale."""
    der, found = read_root_list(settings.data / NAME, installation)
    if not found.current(now):
        raise InstallationError(
            "root-list-stale",
            f"根的吊销列表有效期为 {found.this_update:%F} 至 {found.next_update:%F}；请在离线根上重新签发",
            f"the root's list holds from {found.this_update:%F} to {found.next_update:%F};"
            " have a new one signed where the root is",
        )
    return der


def read_root_list(path: Path, installation: Installation) -> tuple[bytes, RevocationList]:
    """The list in a file, and what it says, if the root signed it. Raises :class:`InstallationError`."""
    try:
        with path.open("rb") as file:
            der = file.read(_LONGEST)
        return der, read_crl(der, installation.root_certificate)
    except OSError as error:
        raise InstallationError(
            "root-list-missing", f"根的吊销列表 {path} 无法读取", f"the root's list {path} cannot be read"
        ) from error
    except AuthorityError as error:
        raise InstallationError(
            "root-list-foreign",
            f"{path} 不是本安装的根签发的吊销列表：{error.zh}",
            f"{path} is no list by this installation's root: {error.en}",
        ) from error


def accept_root_list(settings: Settings, installation: Installation, path: Path, now: datetime) -> RevocationList:
    """Put the list in ``path`` in place of the present one, durably.

    Raises :class:`InstallationError`: not the root's, stale, older than the present one, or there is a root key here.
    """
    if installation.root_key is not None:
        raise InstallationError(
            "root-key-here",
            "本安装持有根密钥，根的吊销列表由服务自动签发",
            "this installation holds the root's key and signs the root's list itself",
        )
    der, found = read_root_list(path, installation)
    target = settings.data / NAME
    present = read_root_list(target, installation)[1] if target.exists() else None
    if not found.current(now) or (present is not None and (found.number or 0) < (present.number or 0)):
        raise InstallationError(
            "root-list-stale",
            f"该列表有效期为 {found.this_update:%F} 至 {found.next_update:%F}，编号 {found.number}；"
            "应当前有效且不旧于现有列表",
            f"the list holds from {found.this_update:%F} to {found.next_update:%F} and has number {found.number};"
            " expected one that holds now and is not older than the present one",
        )
    write_whole(target, der)
    return found


def write_whole(path: Path, content: bytes) -> None:
    """Write or replace the file as a whole, 0600, on disk when this returns. Raises ``OSError``."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk. Raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
