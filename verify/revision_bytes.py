"""The bytes of an earlier revision, read out of the file without a copy of it."""

import io
from typing import Any, BinaryIO, cast

from verify.pdf_syntax import FileBytes


class _FirstBytes(io.RawIOBase):
    """The first ``length`` bytes of a file, as a stream."""

    def __init__(self, data: FileBytes, length: int) -> None:
        self._data, self._length, self._at = data, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  any writable buffer
        part = self._data[self._at : min(self._at + len(buffer), self._length)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def revision_bytes(data: FileBytes, length: int | None = None) -> BinaryIO:
    """A stream of the first ``length`` bytes of ``data``: the file as it was when its revision ended there."""
    end = len(data) if length is None else min(length, len(data))
    return cast("BinaryIO", _FirstBytes(data, end))
