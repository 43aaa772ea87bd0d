"""A state of the custody process that a test makes up, and entries of a log that an attacker would like to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from custody.requests import CheckState, KnownKey
from keystore.interface import Purpose, SigningKey
from ledger.canonical import JsonValue
from ledger.checkpoint import Checkpoint, LogIdentity, sign_checkpoint
from ledger.entry import Draft, prepare
from ledger.evidence import Evidence
from ledger.ids import new_id
from ledger.merkle import leaf_hash


@dataclass(slots=True)
class ToldState:
    """See :class:`custody.requests.CheckState`; as a real one, with roots that count as signed and no used intents."""

    real: CheckState
    roots: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    learns: bool = True
    pinned: Path | None = None
    gone: int = -1

    @property
    def log(self) -> LogIdentity | None:
        return self.real.log

    @property
    def pins(self) -> Path:
        return self.pinned or self.real.pins

    def last(self, purpose: Purpose) -> Mapping[str, JsonValue] | None:
        return self.real.last(purpose)

    def seen(self, purpose: Purpose, name: str, value: JsonValue) -> bool:
        if name in {"intent", "consent"}:
            return value in self.used
        return value in self.roots or self.real.seen(purpose, name, value)

    def forgotten(self, purpose: Purpose) -> int:
        return self.gone

    def generated(self, purpose: Purpose) -> Sequence[KnownKey]:
        return self.real.generated(purpose)


def shown(
    kind: str, groups: Mapping[str, Any], key: SigningKey, state: ToldState, now: datetime, *, origin: str = ""
) -> dict[str, Any]:
    """Evidence of an entry in a log of its own, whose checkpoint ``key`` signed and ``state`` counts as its own."""
    leaf, openings = prepare(Draft(kind=kind, subjects=(new_id("att"),), groups=dict(groups)), new_id("ent"), now)
    assert state.log is not None
    root, identity = leaf_hash(leaf.to_bytes()), LogIdentity.of_key(origin or state.log.origin, key)
    note = sign_checkpoint(Checkpoint(origin=identity.origin, size=1, root=root), identity, key)
    state.roots.add(root.hex())
    return Evidence(
        index=0,
        leaf=leaf.to_bytes(),
        openings={opening.group: opening for opening in openings},
        proof=(),
        checkpoint=note,
    ).to_json()


def groups_of(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The opened groups of evidence, to be changed."""
    return {name: opening["value"] for name, opening in evidence["openings"].items()}
