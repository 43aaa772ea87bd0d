"""The book on real databases: what is appended can be read, trusted, proven and erased."""

import pytest

from ledger.entry import Draft, Leaf
from ledger.errors import (
    CheckpointError,
    ClockBehindError,
    DraftError,
    EntryNotFoundError,
    HeadRolledBackError,
    HeadTamperedError,
    NotCanonicalError,
    RecordBrokenError,
)
from ledger.evidence import Evidence
from ledger.ids import new_id
from ledger.merkle import leaf_hash


def test_append_gives_contiguous_numbers_and_the_hash_of_the_leaf(world):
    seal = new_id("sea")
    first, second = world.append(seal, document={"文号": "赣市审批〔2026〕1号"}), world.append(seal)
    assert (first.index, second.index) == (0, 1)
    with world.database.read() as connection:
        stored = world.book.entry(connection, 0)
    assert stored.leaf_hash == first.leaf_hash == leaf_hash(stored.data)
    assert stored.value("document") == {"文号": "赣市审批〔2026〕1号"}
    assert (stored.kind, stored.time, stored.leaf.subjects) == ("seal.use", first.time, (seal,))
