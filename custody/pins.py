"""Approval keys that the custody process believes: one file a key, written once, never changed.

A pin is made the first time the key's registration is shown to be in the log (``recorded``), or by the process' own
operator (``listed``). Whoever changes the registry or the log afterwards changes no pin.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from custody.errors import CustodyError
from ledger.canonical import JsonValue, canonical, parse
from ledger.errors import LedgerError
from ledger.ids import is_id
from registry.errors import EvidenceError
from registry.passkeys import Passkey
from registry.statements import RegisteredKey, check_public_key

How = Literal["recorded", "listed"]
PinnedKind = Literal["person", "client"]

_MEMBERS = {"v", "id", "kind", "holder", "public_key", "how"}
_LONGEST = 10_000


class PinError(CustodyError):
    """A pin cannot be read or made, or there is another one for the same key already."""

    code = "pin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One approval key: its id, whose it is, and the key itself (SubjectPublicKeyInfo, DER)."""

    id: str
    kind: PinnedKind
    holder: str
    public_key: bytes
    how: How
    passkey: Passkey | None = None

    def registered(self) -> RegisteredKey:
        """As statements are checked with it. Since when it counts is for the registry to know."""
        return RegisteredKey(
            id=self.id,
            kind=self.kind,
            holder=self.holder,
            public_key=self.public_key,
            valid_from=datetime.min.replace(tzinfo=UTC),
            valid_until=None,
            passkey=self.passkey,
        )

    def same_key(self, other: "Pin") -> bool:
        """Whether both say the same of the same key, however they came about."""
        return replace(self, how=other.how) == other

    def to_json(self) -> dict[str, JsonValue]:
        """The members of the file; ``passkey`` stands in it for a passkey only."""
        passkey = {} if self.passkey is None else {"passkey": self.passkey.model_dump(mode="json")}
        return passkey | {
            "v": 1,
            "id": self.id,
            "kind": self.kind,
            "holder": self.holder,
            "public_key": b64encode(self.public_key).decode(),
            "how": self.how,
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:  # noqa: ANN401  judged here
        """Read the members of a file. Raises ``ValueError``, ``EvidenceError`` for a key that is not on P-256."""
        if not isinstance(value, dict) or value.keys() - {"passkey"} != _MEMBERS or value["v"] != 1:
            raise ValueError("no pin")
        texts = [value[name] for name in ("id", "kind", "holder", "public_key", "how")]
        if not all(isinstance(each, str) for each in texts) or not is_id(value["id"]):
            raise ValueError("no pin")
        if value["kind"] not in {"person", "client"} or value["how"] not in {"recorded", "listed"}:
            raise ValueError("no pin")
        public_key = b64decode(value["public_key"], validate=True)
        check_public_key(public_key)
        return cls(
            id=value["id"],
            kind=value["kind"],
            holder=value["holder"],
            public_key=public_key,
            how=value["how"],
            passkey=None if value.get("passkey") is None else Passkey.model_validate(value["passkey"]),
        )


class Pins:
    """The pins in one folder, which belongs to the custody process alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key_id: str) -> Pin | None:
        """The pin of this key id, or None. Raises :class:`PinError` for a file that is not one."""
        if not is_id(key_id):
            return None
        path = self._path(key_id)
        try:
            with path.open("rb") as file:
                pin = Pin.from_json(parse(file.read(_LONGEST)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LedgerError, EvidenceError) as problem:
            raise PinError(f"{path} 不是可读的固定公钥", f"{path} is not a pin that can be read") from problem
        if pin.id != key_id:
            raise PinError(f"{path} 固定的是另一把公钥 {pin.id}", f"{path} is the pin of another key, {pin.id}")
        return pin

    def every(self) -> list[Pin]:
        """All pins, by id. Raises :class:`PinError`."""
        names = sorted(path.stem for path in self._folder.glob("*.json")) if self._folder.is_dir() else []
        return [pin for name in names if (pin := self.find(name)) is not None]

    def add(self, pin: Pin) -> None:
        """Make ``pin``, on disk when this returns; a listed one confirms a recorded one of the same key.

        Raises :class:`PinError` when another key, or another holder, is pinned under this id.
        """
        present = self.find(pin.id)
        if present is not None and not present.same_key(pin):
            raise PinError(
                f"标识 {pin.id} 已固定为另一把公钥或另一持有人；固定后不得更改",
                f"another key or holder is pinned under {pin.id}; a pin never changes",
            )
        if present is None or (present.how == "recorded" and pin.how == "listed"):
            self._write(self._path(pin.id), canonical(pin.to_json()))

    def remove(self, key_id: str) -> None:
        """Believe this key no longer. Raises :class:`PinError` when it is not pinned."""
        if self.find(key_id) is None:
            raise PinError(f"没有固定标识为 {key_id} 的公钥", f"no key is pinned under {key_id}")
        self._path(key_id).unlink()
        self._sync()

    def _path(self, key_id: str) -> Path:
        return self._folder / f"{key_id}.json"

    def _write(self, path: Path, content: bytes) -> None:
        temporary = path.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(path)
            self._sync()
        except OSError as problem:
            raise PinError(
                f"固定公钥写不下：{problem.strerror}", f"the pin could not be written: {problem.strerror}"
            ) from problem

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def registration(kind: str, body: Mapping[str, Any]) -> Pin:
    """The pin that a registration entry of this kind asks for. Raises ``ValueError``, ``EvidenceError``."""
    holders: dict[str, PinnedKind] = {"person_key.registered": "person", "client_approval_key.registered": "client"}
    whose = holders.get(kind)
    if whose is None:
        raise ValueError(f"{kind} registers no approval key")
    members = {"v": 1, "id": body.get("id"), "kind": whose, "holder": body.get(whose)}
    passkey = {"passkey": body.get("passkey")} if whose == "person" else {}
    return Pin.from_json({**members, **passkey, "public_key": body.get("public_key"), "how": "recorded"})
