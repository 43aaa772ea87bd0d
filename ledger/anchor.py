"""The last checkpoint in a file outside the database, so that a database put back from a copy is noticed."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from ledger.errors import CheckpointError

INTERVAL = timedelta(seconds=1)  # between two writes: the file guards a restart, the process guards itself


class Anchor:
    """A note at ``path``, replaced as a whole.

    It should lie on another disk than the database, or be copied away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._size = 0
        self._written = datetime.min.replace(tzinfo=UTC)

    def read(self) -> str | None:
        """The note last written, or None when there is no file yet.

        Raises :class:`CheckpointError` if unreadable.
        """
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(
                f"最近检查点文件 {self._path} 无法读取",
                f"the last checkpoint file {self._path} cannot be read",
            ) from error

    def version(self) -> tuple[int, int, int] | None:
        """Changes whenever the file is replaced; None when there is none. Costs one call of the system."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def write(self, note: str, size: int, now: datetime) -> None:
        """Replace the note by that of a larger tree, at most once an interval. Raises OSError when the disk refuses."""
        with self._lock:
            if size > self._size and not self._written <= now < self._written + INTERVAL:
                self.replace(note)
                self._size, self._written = size, now

    def replace(self, note: str) -> None:
        """Replace the note, whatever stood there; it is on disk when this returns. Raises OSError."""
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())  # a name that leads to an empty file after a power cut would stop the next start
        temporary.replace(self._path)
