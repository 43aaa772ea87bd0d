"""What a witness has cosigned: the last checkpoint of each log, in one file that is replaced as a whole.

The state is on disk before a cosignature leaves. Whoever puts back an older copy of the file makes the witness
able to cosign a fork; it belongs on a disk that the log's operator cannot reach.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.merkle import EMPTY_ROOT, HASH_LENGTH
from witness.errors import HomeError

FORM = "yinxin/witness-state/v1"
_NEVER = datetime.min.replace(tzinfo=UTC)
_MEMBERS = {"size", "root", "time", "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The last checkpoint of one log that was cosigned; the empty tree at the beginning."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    time: datetime = _NEVER
    note: str = ""


class State:
    """The file, and its content in memory. One process at a time; calls are serialised by the caller."""

    def __init__(self, path: Path, logs: dict[str, Seen]) -> None:
        """Made by :meth:`create` and :meth:`read` only."""
        self._path = path
        self._logs = logs

    @classmethod
    def create(cls, path: Path) -> "State":
        """An empty state on disk. Raises :class:`HomeError` when there is a file already."""
        if path.exists():
            raise HomeError("state-exists", f"{path} 已存在，不予覆盖", f"{path} exists and is never overwritten")
        state = cls(path, {})
        state._replace({})
        return state

    @classmethod
    def read(cls, path: Path) -> "State":
        """The state on disk.

        Raises :class:`HomeError` when it is missing or damaged: a witness that forgot would cosign a fork.
        """
        try:
            return cls(path, _logs(json.loads(path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HomeError(
                "state-unreadable",
                f"见证状态 {path} 缺失或损坏；没有它就无法发现分叉，须从备份恢复",
                f"the state {path} is missing or damaged; without it a fork cannot be noticed, restore it",
            ) from error

    def last(self, origin: str) -> Seen:
        """What was last cosigned for the log."""
        return self._logs.get(origin, Seen())

    def advance(self, origin: str, seen: Seen) -> None:
        """Remember ``seen``; it is on disk when this returns. Raises OSError, and then nothing is remembered."""
        changed = {**self._logs, origin: seen}
        self._replace(changed)
        self._logs = changed

    def _replace(self, logs: dict[str, Seen]) -> None:
        members = {origin: _members(each) for origin, each in sorted(logs.items())}
        content = json.dumps({"d": FORM, "logs": members}, ensure_ascii=False, indent=1) + "\n"
        temporary = self._path.with_name(f".{self._path.name}.new")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _members(seen: Seen) -> dict[str, object]:
    return {"size": seen.size, "root": seen.root.hex(), "time": seen.time.isoformat(), "note": seen.note}


def _logs(data: dict[str, Any]) -> dict[str, Seen]:
    if data.keys() != {"d", "logs"} or data["d"] != FORM:
        raise ValueError(f"members of {FORM} expected")
    return {str(origin): _seen(value) for origin, value in data["logs"].items()}


def _seen(value: dict[str, object]) -> Seen:
    size, root, time, note = value["size"], value["root"], value["time"], value["note"]
    if value.keys() != _MEMBERS or type(size) is not int or size < 0:
        raise ValueError("size")
    if not isinstance(root, str) or not isinstance(time, str) or not isinstance(note, str):
        raise TypeError("text")
    seen = Seen(size=size, root=bytes.fromhex(root), time=datetime.fromisoformat(time), note=note)
    if len(seen.root) != HASH_LENGTH or seen.time.tzinfo is None:
        raise ValueError("root, time")
    return seen
