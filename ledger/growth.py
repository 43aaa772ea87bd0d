"""What shows a backend that checks for itself that a new tree is the last signed one with leaves added.

Such a backend keeps the tree that it signed last, and needs the hashes of the leaves since then. Which one that was
nobody else knows for sure, since replicas sign too: so the leaves begin at a checkpoint that is stored, and further
back when that was not far enough.
"""

from base64 import b64encode
from typing import Final

from sqlalchemy import Connection

from keystore.interface import Grounds
from ledger import merkle, store
from ledger.store import Head

REACHES: Final = (0, 4_096, 500_000)
"""How many leaves before the newest stored checkpoint are brought, one try after the other."""


def growth(connection: Connection, head: Head, behind: int) -> Grounds:
    """The hashes of the leaves from ``behind`` entries before the newest stored checkpoint up to ``head``.

    With the tree up to there, for a backend that signs for this log for the first time. Raises :class:`ProofError`.
    """
    newest = store.newest_checkpoint(connection)
    size = head.range.size
    start = max(0, min(size, 0 if newest is None else newest.size) - behind)
    leaves = store.leaf_hashes(connection, start, size)
    before = merkle.range_at(start, store.node_reader(connection))
    return Grounds(
        statement={
            "from": start,
            "range": b64encode(before.to_bytes()).decode(),
            "leaves": b64encode(b"".join(leaves)).decode(),
        }
    )
