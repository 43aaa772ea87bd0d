"""The document store: files named by their SHA-256, written once, on disk before anybody names them.

Trusted for availability only: whoever can write here can delete a document but not change one unseen,
because every read hashes the bytes again and every entry names the digest.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path

from sealing.errors import StorageError, UnknownError

LEFT_BEHIND = timedelta(hours=1)


class DocumentStore:
    """A folder of write-once files, ``ab/abcdef…`` by hex digest."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; it is made (0700) when it does not exist."""
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def unused(self, suffix: str = ".pdf") -> Path:
        """A path inside the store's own file system where nothing stands yet. Whoever writes it puts or removes it."""
        return self.incoming / f"{secrets.token_hex(16)}{suffix}"

    def put(self, path: Path) -> str:
        """Take over the file at ``path`` and return its digest ``sha256:…``.

        Temporary file, fsync, link, fsync of the folder: when this returns, the bytes survive a power cut.
        An existing file of that name is hashed again. Raises :class:`StorageError`.
        """
        try:
            with path.open("rb") as file:
                os.fsync(file.fileno())
                digest = "sha256:" + file_digest(file, "sha256").hexdigest()
            target = self._place(digest)
            self._make_shelf(target.parent)
            try:
                os.link(path, target)
            except FileExistsError:
                self.read_path(digest)
            _fsync_folder(target.parent)
            path.unlink()
        except OSError as error:
            raise storage_error(error) from error
        return digest

    @staticmethod
    def give(path: Path, target: Path) -> None:
        """Copy the file at ``path`` to ``target`` outside the store, durably, whole or not at all; never over a file.

        Raises ``FileExistsError``, ``OSError``.
        """
        draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            shutil.copyfile(path, draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            os.link(draft, target)
            _fsync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)

    def read_path(self, digest: str) -> Path:
        """The path of a kept document after hashing it again.

        Raises :class:`UnknownError` when it was never kept, :class:`StorageError` when its bytes changed.
        """
        path = self._place(digest)
        try:
            with path.open("rb") as file:
                found = "sha256:" + file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise UnknownError(
                "document-unknown", f"没有摘要为 {digest} 的文件", f"no document with digest {digest}"
            ) from None
        if found != digest:
            raise StorageError(
                "document-changed",
                f"存储中的文件应为 {digest}，实为 {found}",
                f"the stored document should be {digest} but is {found}",
            )
        return path

    def lend(self, digest: str) -> Path:
        """A kept document under a second name in ``incoming``, for whoever takes files over.

        Raises as :meth:`read_path`.
        """
        source, path = self.read_path(digest), self.unused()
        try:
            os.link(source, path)
        except OSError as error:
            raise storage_error(error) from error
        return path

    def destroy(self, digest: str) -> None:
        """Remove a document that must never leave: a sealed file whose attempt was abandoned."""
        self._place(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """The digests of all kept documents, by name only."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            yield f"sha256:{path.name}"

    def left(self, now: datetime) -> list[Path]:
        """Files in ``incoming`` that nobody has written for an hour: what a killed process left, signed or not.

        An upload may wait its turn, but not that long.
        """
        before = now - LEFT_BEHIND
        found = []
        for path in sorted(self.incoming.iterdir()):
            try:
                written = path.stat().st_mtime
            except FileNotFoundError:  # its owner was faster
                continue
            if written < before.timestamp():
                found.append(path)
        return found

    def _make_shelf(self, shelf: Path) -> None:
        try:
            shelf.mkdir(mode=0o700)
        except FileExistsError:
            return
        _fsync_folder(self.folder)

    def _place(self, digest: str) -> Path:
        kind, _, name = digest.partition(":")
        if kind != "sha256" or len(name) != 64 or set(name) - set("0123456789abcdef"):  # noqa: PLR2004  SHA-256 in hex
            raise UnknownError(
                "document-unknown", f"不是文件摘要：{digest[:80]}", f"not a document digest: {digest[:80]}"
            )
        return self.folder / name[:2] / name


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def storage_error(error: OSError) -> StorageError:
    """What the caller is told of an error of the file system."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(
            "disk-full",
            "磁盘已满，文件未保存，未产生任何印记",
            "the disk is full; nothing was kept and nothing sealed",
        )
    return StorageError(
        "document-store-failed",
        f"文件库写入失败：{error.strerror}",
        f"the document store failed: {error.strerror}",
    )
