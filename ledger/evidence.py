"""Evidence: one entry with what shows that it is in the log, to be judged offline by whoever holds it.

Pure.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from ledger import merkle
from ledger.canonical import JsonValue, canonical
from ledger.checkpoint import Checkpoint, LogIdentity, open_checkpoint
from ledger.entry import Leaf, Opening
from ledger.errors import LedgerError, ProofError
from ledger.signed_note import read_note

FORM = "yinxin/evidence/v1"
_MEMBERS = {"d", "index", "leaf", "openings", "proof", "checkpoint"}
_OPTIONAL = {"tokens"}
MOST_TOKENS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A leaf, the openings its holder may see, the inclusion proof and the checkpoint it leads to.

    ``checkpoint`` is the signed note with such cosignatures of witnesses as there are. ``tokens`` are RFC 3161
    time-stamp tokens (DER) of outside authorities over :meth:`stamped_digest`; who gave them is not judged here.
    """

    index: int
    leaf: bytes
    openings: Mapping[str, Opening]
    proof: tuple[bytes, ...]
    checkpoint: str
    tokens: tuple[bytes, ...] = ()

    def stamped_digest(self) -> bytes:
        """What the tokens are about: SHA-256 of the checkpoint's text (origin, size and root lines, UTF-8).

        Raises :class:`CheckpointError`.
        """
        return stamped_digest(self.checkpoint)

    def check(self, identity: LogIdentity) -> tuple[Leaf, Checkpoint]:
        """Judge the evidence with nothing but the log's identity.

        Raises :class:`CheckpointError` (not this log's note), :class:`ProofError` (leaf not in the tree, or
        an opening that does not fit), :class:`RecordBrokenError` (not a leaf).
        """
        checkpoint = open_checkpoint(self.checkpoint, identity)
        return self.check_under(checkpoint), checkpoint

    def check_under(self, checkpoint: Checkpoint) -> Leaf:
        """Judge all but the note, whose ``checkpoint`` the caller has judged in a way of its own.

        Raises :class:`ProofError`, :class:`RecordBrokenError` as :meth:`check` does.
        """
        merkle.verify_inclusion(self.index, checkpoint.size, merkle.leaf_hash(self.leaf), self.proof, checkpoint.root)
        leaf = Leaf.from_bytes(self.leaf)
        for group, opening in self.openings.items():
            if group != opening.group:
                raise ProofError(f"字段组 {group} 名称不符", f"group {group} holds the opening of {opening.group}")
            leaf.check(opening)
        return leaf

    def to_json(self) -> dict[str, JsonValue]:
        """As canonical-JSON members; binary parts in base64 (RFC 4648 4)."""
        tokens: dict[str, JsonValue] = {"tokens": [b64encode(each).decode() for each in self.tokens]}
        return {
            "d": FORM,
            "index": self.index,
            "leaf": b64encode(self.leaf).decode(),
            "openings": {
                group: {"salt": opening.salt.hex(), "value": opening.value} for group, opening in self.openings.items()
            },
            "proof": [b64encode(part).decode() for part in self.proof],
            "checkpoint": self.checkpoint,
            **(tokens if self.tokens else {}),
        }

    @classmethod
    def from_json(cls, value: JsonValue) -> "Evidence":
        """Read what :meth:`to_json` wrote, from an untrusted hand. Raises :class:`ProofError`."""
        try:
            return cls._read(value)
        except (AttributeError, KeyError, TypeError, ValueError, LedgerError) as error:
            raise ProofError(f"台账证据格式不对：{type(error).__name__}", f"malformed evidence: {error}") from error

    @classmethod
    def _read(cls, value: JsonValue) -> "Evidence":
        if not isinstance(value, dict) or value.keys() - _OPTIONAL != _MEMBERS or value["d"] != FORM:
            raise ValueError(f"members {sorted(_MEMBERS)} of {FORM} expected")
        index, checkpoint, openings, proof = (
            value["index"],
            value["checkpoint"],
            value["openings"],
            value["proof"],
        )
        if isinstance(index, bool) or not isinstance(index, int) or not isinstance(checkpoint, str):
            raise ValueError("index: integer, checkpoint: text")  # noqa: TRY004  all are one malformed evidence
        canonical(openings)
        tokens = value.get("tokens", [])
        if len(tokens) > MOST_TOKENS:
            raise ValueError(f"{len(tokens)} tokens; {MOST_TOKENS} at most")
        return cls(
            index=index,
            leaf=b64decode(value["leaf"], validate=True),
            openings={
                group: Opening(group=group, salt=bytes.fromhex(member["salt"]), value=member["value"])
                for group, member in openings.items()
            },
            proof=tuple(b64decode(part, validate=True) for part in proof),
            checkpoint=checkpoint,
            tokens=tuple(b64decode(each, validate=True) for each in tokens),
        )


def stamped_digest(note: str) -> bytes:
    """SHA-256 of the text of a checkpoint's note: what an outside time-stamp of it is about.

    Not of the whole note, so that cosignatures can join later. Raises :class:`CheckpointError`.
    """
    return sha256(read_note(note).text.encode()).digest()
