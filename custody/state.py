"""What the custody process knows from its own record of uses, folded line by line."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from custody.requests import INDEXED, KnownKey
from custody.uses import UseLine
from keystore.interface import Purpose, SigningKey
from ledger.canonical import JsonValue
from ledger.checkpoint import LogIdentity
from ledger.signed_note import raw_ed25519

REMEMBERED = 20_000
"""How many intents and roots are kept in memory, the newest; certificates and consents are few and kept all.

Forgetting an intent never makes it good again: no intent is taken whose entry is not beyond all forgotten ones. By its
lease an honest one is used within minutes, long before so many others. Under a root forgotten nothing is believed.
"""
_BOUNDED = ("intent", "root")


class State:
    """See :class:`custody.requests.CheckState`. Kept by the thread that uses the keys."""

    def __init__(self, log_origin: str, pins: Path, *, learns: bool) -> None:
        """``log_origin`` is the name of the log whose key is here; ``pins`` the folder of pinned keys."""
        self._origin = log_origin
        self._pins = pins
        self._learns = learns
        self._last: dict[str | None, Mapping[str, JsonValue]] = {}
        self._seen: dict[tuple[str | None, str], dict[JsonValue, JsonValue]] = {}
        self._forgotten: dict[str | None, int] = {}
        self._keys: dict[str, KnownKey] = {}
        self._log_key: KnownKey | None = None

    @property
    def pins(self) -> Path:
        """See :class:`custody.requests.CheckState`."""
        return self._pins

    @property
    def log(self) -> LogIdentity | None:
        """See :class:`custody.requests.CheckState`."""
        generated = self.generated("log")
        key = self._log_key or (generated[-1] if generated else None)
        if key is None:
            return None
        return LogIdentity(origin=self._origin, public_key=raw_ed25519(key.algorithm, key.public_key))

    @property
    def learns(self) -> bool:
        """See :class:`custody.requests.CheckState`."""
        return self._learns

    def last(self, purpose: Purpose) -> Mapping[str, JsonValue] | None:
        """See :class:`custody.requests.CheckState`."""
        return self._last.get(purpose)

    def seen(self, purpose: Purpose, name: str, value: JsonValue) -> bool:
        """See :class:`custody.requests.CheckState`."""
        return value in self._seen.get((purpose, name), ())

    def forgotten(self, purpose: Purpose) -> int:
        """See :class:`custody.requests.CheckState`."""
        return self._forgotten.get(purpose, -1)

    def generated(self, purpose: Purpose) -> Sequence[KnownKey]:
        """See :class:`custody.requests.CheckState`."""
        return [each for each in self._keys.values() if each.purpose == purpose]

    def knows(self, ref: str) -> bool:
        """Whether the key's generation is in the record and its destruction is not."""
        return ref in self._keys

    def note(self, line: UseLine) -> None:
        """Take in a line, which has been written."""
        match line.event:
            case "use":
                self._note_use(line)
            case "generation" if line.key is not None:
                key = _known(line)
                self._keys[key.ref] = key
            case "destruction":
                self._keys.pop(line.key or "", None)

    def _note_use(self, line: UseLine) -> None:
        self._last[line.purpose] = line.about
        for name in INDEXED:
            if name in line.about:
                self._remember(line, name)
        if line.purpose == "log" and self._log_key is None:
            self._log_key = self._keys.get(line.key or "")

    def _remember(self, line: UseLine, name: str) -> None:
        values = self._seen.setdefault((line.purpose, name), {})
        values[line.about[name]] = line.about.get("entry")
        if name not in _BOUNDED or len(values) <= REMEMBERED:
            return
        oldest = next(iter(values))
        entry = values[oldest]
        if name == "root":
            del values[oldest]
        elif isinstance(entry, int):
            del values[oldest]
            self._forgotten[line.purpose] = max(entry, self._forgotten.get(line.purpose, -1))


def about_key(key: SigningKey, found: str) -> dict[str, JsonValue]:
    """What the record says of a key that came into it; ``found`` is ``generated`` or ``adopted``."""
    return {"algorithm": key.algorithm, "public_key": b64encode(key.public_key).decode(), "found": found}


def _known(line: UseLine) -> KnownKey:
    """A line of ours: its members were written by :func:`about_key`."""
    about = line.about
    return KnownKey(
        ref=str(line.key),
        purpose=line.purpose,  # type: ignore[arg-type]  # as above
        algorithm=about["algorithm"],  # type: ignore[arg-type]  # as above
        public_key=b64decode(str(about["public_key"])),
        adopted=about.get("found") == "adopted",
    )
