"""Whether the stored cosignatures are about the tree that the leaves make."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from ledger import tables as t
from ledger.checkpoint import Checkpoint
from ledger.cosignature import WitnessIdentity, read_cosignatures
from ledger.errors import CheckpointError

_SPAN = select(t.cosignatures.c.size, t.cosignatures.c.witness, t.cosignatures.c.line).where(
    t.cosignatures.c.size >= bindparam("start"), t.cosignatures.c.size < bindparam("end")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCosignature:
    """One row: a witness's verifier key, and the line it is said to have signed."""

    size: int
    witness: str
    line: str

    @property
    def where(self) -> str:
        """Table and row."""
        return f"ledger_cosignatures size {self.size} witness {self.witness.partition('+')[0]}"

    def fits(self, checkpoint: Checkpoint) -> bool:
        """Whether the witness vouched for exactly this tree head."""
        try:
            witness = WitnessIdentity.from_vkey(self.witness)
            return bool(read_cosignatures(f"{checkpoint.body()}\n{self.line}\n", [witness]))
        except CheckpointError:
            return False


def cosignatures(connection: Connection, start: int, end: int) -> Mapping[int, Sequence[StoredCosignature]]:
    """The rows about trees from ``start`` up to, not including, ``end`` entries, by size."""
    found = defaultdict[int, list[StoredCosignature]](list)
    for size, witness, line in connection.execute(_SPAN, {"start": start, "end": end}):
        found[size].append(StoredCosignature(size=size, witness=witness, line=line))
    return found
