"""The record of key uses that the custody process keeps for itself: one line a use, each bound to the line before.

A line is on disk before the key is used. So the record may name a use that a crash prevented, and never lacks one.
The chain shows a line that was changed, taken out or put in; that the end was not cut off is shown by comparing with
the ledger (``yinxin audit --keys``).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, NoReturn, Self, get_args

from custody.errors import UsesBrokenError, UsesNotWrittenError
from ledger import moments
from ledger.canonical import JsonValue, canonical

Event = Literal["use", "failure", "generation", "destruction", "repair"]
"""``use``: the key may have signed. ``failure``: the use it names did not succeed. ``repair``: a torn line was cut."""

FIRST = "sha256:" + sha256(b"yinxin/uses/v1").hexdigest()
"""What the first line names as the one before it."""
PRIVATE_MODE = 0o600
_MARKED = 1000  # lines between two known places in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class UseLine:
    """One line of the record."""

    n: int  # counted from 0
    time: str  # RFC 3339, UTC, microseconds
    event: Event
    key: str | None
    purpose: str | None
    message: str | None  # sha256:<hex> of what was signed
    about: Mapping[str, JsonValue] = field(default_factory=dict)
    previous: str  # sha256:<hex> of the line before, without its newline

    def to_json(self) -> dict[str, JsonValue]:
        """The members of the line."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: Any) -> Self:  # noqa: ANN401  judged here
        """Read a line's members. Raises ``ValueError`` when they are not a line's."""
        if not isinstance(value, dict) or value.keys() != _MEMBERS or value["event"] not in _EVENTS:
            raise ValueError("no line of a record of uses")
        if type(value["n"]) is not int or not isinstance(value["about"], dict):
            raise ValueError("no line of a record of uses")
        optional = (value["key"], value["purpose"], value["message"], value["time"], value["previous"])
        if not all(each is None or isinstance(each, str) for each in optional):
            raise ValueError("no line of a record of uses")
        return cls(**value)


_MEMBERS = frozenset(UseLine.__slots__)
_EVENTS = frozenset(get_args(Event))


class UseRecord:
    """The record in one file, for the one process that appends to it. Not for several threads."""

    def __init__(self, file: BinaryIO) -> None:
        """Made by :meth:`open`."""
        self._file = file
        self._size = 0
        self._last = FIRST
        self._end = file.seek(0, os.SEEK_END)
        self._marks: list[int] = []

    @property
    def size(self) -> int:
        """How many lines there are."""
        return self._size

    @classmethod
    def open(cls, path: Path, now: datetime, *, each: Callable[[UseLine], None]) -> Self:
        """Open or begin the record at ``path``, telling ``each`` line; a line that a crash tore is cut and told of.

        Raises :class:`UsesBrokenError`, :class:`UsesNotWrittenError`.
        """
        try:
            file = os.fdopen(
                os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_MODE), "r+b", 0
            )
            _sync_folder(path.parent)
        except OSError as problem:
            raise _not_written(problem) from None
        try:
            return cls._read(file, path, now, each)
        except BaseException:
            file.close()
            raise

    @classmethod
    def _read(cls, file: BinaryIO, path: Path, now: datetime, each: Callable[[UseLine], None]) -> Self:
        record = cls(file)
        whole = 0
        for line, text in _lines(file, path):
            each(line)
            record._take(line, text, whole)
            whole += len(text) + 1
        record._repair(whole, now, each)
        return record

    def _take(self, line: UseLine, text: bytes, start: int) -> None:
        if line.n % _MARKED == 0:
            self._marks.append(start)
        self._size, self._last = line.n + 1, _digest(text)

    def after(self, n: int, most: int) -> list[UseLine]:
        """At most ``most`` lines from number ``n`` on."""
        if n >= self._size:
            return []
        with os.fdopen(os.dup(self._file.fileno()), "rb") as reading:
            reading.seek(self._marks[n // _MARKED])
            lines = islice(reading, n % _MARKED, n % _MARKED + most)
            return [UseLine.from_json(json.loads(text)) for text in lines]

    def append(
        self,
        event: Event,
        now: datetime,
        *,
        key: str | None = None,
        purpose: str | None = None,
        message: str | None = None,
        about: Mapping[str, JsonValue] | None = None,
    ) -> UseLine:
        """Add a line; it is on disk when this returns. Raises :class:`UsesNotWrittenError`: then it is not there."""
        line = UseLine(
            n=self._size,
            time=moments.to_text(now),
            event=event,
            key=key,
            purpose=purpose,
            message=message,
            about=about or {},
            previous=self._last,
        )
        text = canonical(line.to_json())
        start = self._end
        self._write(text + b"\n")
        self._take(line, text, start)
        return line

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        try:
            written = os.pwrite(self._file.fileno(), data, self._end)
            os.fdatasync(self._file.fileno())
        except OSError as problem:
            self._cut()
            raise _not_written(problem) from None
        if written != len(data):
            self._cut()
            raise _not_written(OSError(0, "the disk took a part of the line"))
        self._end += written

    def _cut(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self._end)
        except OSError as problem:
            raise _not_written(problem) from None

    def _repair(self, whole: int, now: datetime, each: Callable[[UseLine], None]) -> None:
        torn = self._end - whole
        if not torn:
            return
        fragment = os.pread(self._file.fileno(), torn, whole)
        self._end = whole
        self._cut()
        about: dict[str, JsonValue] = {"bytes": torn, "digest": _digest(fragment)}
        each(self.append("repair", now, about=about))


def read_uses(path: Path) -> Iterator[UseLine]:
    """The lines of a record, each checked against the one before. Raises :class:`UsesBrokenError`."""
    with path.open("rb") as file:
        for line, _ in _lines(file, path):
            yield line


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[UseLine, bytes]]:
    """What stands behind the last newline was never synced whole and is not a line."""
    previous, number = FIRST, 0
    with os.fdopen(os.dup(file.fileno()), "rb") as reading:
        reading.seek(0)
        for raw in reading:
            if not raw.endswith(b"\n"):
                return
            text = raw[:-1]
            line = _line(text, path, number)
            if (line.n, line.previous) != (number, previous):
                _broken(path, number)
            yield line, text
            previous, number = _digest(text), number + 1


def _line(text: bytes, path: Path, number: int) -> UseLine:
    try:
        return UseLine.from_json(json.loads(text))  # the chain of digests says that these are the bytes once written
    except (ValueError, RecursionError):
        _broken(path, number)


def _broken(path: Path, number: int) -> NoReturn:
    raise UsesBrokenError(
        f"用钥记录 {path} 第 {number} 行与前一行不相接，或不是本系统写下的一行",
        f"line {number} of the record of key uses {path} does not follow from the one before, or is no such line",
    ) from None


def _not_written(problem: OSError) -> UsesNotWrittenError:
    return UsesNotWrittenError(
        f"用钥记录写不下：{problem.strerror}；密钥未使用",
        f"the use could not be recorded: {problem.strerror}; the key was not used",
    )


def line_digest(line: UseLine) -> str:
    """What the line after ``line`` names as the one before it."""
    return _digest(canonical(line.to_json()))


def _digest(text: bytes) -> str:
    return "sha256:" + sha256(text).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
