"""What the checks of a key use are given: the use that is asked for, and what the process knows by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from keystore.interface import Algorithm, Purpose
from ledger.canonical import JsonValue
from ledger.checkpoint import LogIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRequest:
    """One use of one key, asked for by a caller who is not believed."""

    key_ref: str
    purpose: Purpose
    algorithm: Algorithm
    public_key: bytes  # SubjectPublicKeyInfo, DER; of the key itself, as the backend shows it
    message: bytes = field(repr=False)
    grounds: Mapping[str, Any] | None = field(default=None, repr=False)
    """The caller's statement, restricted JSON (:mod:`ledger.canonical`), or none."""
    file: BinaryIO | None = field(default=None, repr=False)
    """The prepared file: the caller's own open descriptor, at offset 0 and seekable, or a copy of what it sent."""
    ends: bool = False
    """Not a use is asked for, but the end of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key that this process generated, as its record of uses tells it."""

    ref: str
    purpose: Purpose
    algorithm: Algorithm
    public_key: bytes  # SubjectPublicKeyInfo, DER
    adopted: bool = False  # it was here before the record of uses was begun


class CheckState(Protocol):
    """What the custody process knows without asking anybody: its own record of uses, and its pins."""

    @property
    def log(self) -> LogIdentity | None:
        """The log whose key is here, or None before a log key was generated.

        Its key is the one that signed first; before any did, the newest generated one.
        """

    @property
    def pins(self) -> Path:
        """The folder of pinned keys, of the process alone."""

    @property
    def learns(self) -> bool:
        """Whether an approval key is pinned when its registration is first shown (``custody_pins`` recorded)."""

    def last(self, purpose: Purpose) -> Mapping[str, JsonValue] | None:
        """The ``about`` of the newest recorded use of any key of this purpose; None when there was none."""

    def seen(self, purpose: Purpose, name: str, value: JsonValue) -> bool:
        """Whether a recorded use of this purpose has ``value`` under ``name`` in its ``about``.

        Kept for the names of :data:`INDEXED` only.
        """

    def forgotten(self, purpose: Purpose) -> int:
        """The highest entry among intents used with this purpose that :meth:`seen` knows no longer; -1 for none."""

    def generated(self, purpose: Purpose) -> Sequence[KnownKey]:
        """The keys of this purpose that were generated here and not destroyed, oldest first."""


INDEXED = ("serial", "intent", "root", "consent", "certified")
"""Names in ``about`` that :meth:`CheckState.seen` can be asked for; their values are text."""
