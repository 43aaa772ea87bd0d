"""One file and everything it is judged with."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from verify.ledger_evidence import AskLog, FileBytesHashed
from verify.pdf_syntax import FileBytes
from verify.receipt import Receipt
from verify.signature_reading import digest_of
from verify.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``data`` and ``stream`` are the same file, mapped and open."""

    data: FileBytes
    stream: BinaryIO
    receipts: tuple[Receipt, ...]
    trust: Trust
    now: datetime
    ask_log: AskLog | None

    @property
    def hashed(self) -> FileBytesHashed:
        """The file for the comparison with its record."""
        return FileBytesHashed(length=len(self.data), hash_prefix=self.hash_prefix)

    def hash_prefix(self, length: int) -> str:
        """``sha256:…`` of the first ``length`` bytes."""
        return "sha256:" + digest_of(self.data, "sha256", (0, min(length, len(self.data)))).hex()


@contextmanager
def mapped(path: Path) -> Iterator[tuple[BinaryIO, FileBytes]]:
    """Open and map a file; an empty one cannot be mapped. Raises ``OSError``."""
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            yield stream, b""
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield stream, data
