"""The tree against a naive reading of RFC 6962, the vectors that logs publish, and every proof forged."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ProofError
from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    Node,
    NodeReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_at,
    range_over,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and roots that Certificate Transparency implementations test against.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def build(leaves: list[bytes]) -> tuple[CompactRange, NodeReader]:
    """The compact range, and a reader of the nodes that its appends completed."""
    tree, nodes = CompactRange(), {}
    for index, leaf in enumerate(leaves):
        nodes[Node(0, index)] = leaf_hash(leaf)
        tree, completed = tree.append(leaf_hash(leaf))
        nodes.update(completed)
    return tree, lambda wanted: {node: nodes[node] for node in wanted if node in nodes}


def numbered(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


sizes = st.integers(min_value=1, max_value=70)


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert build(LEAVES[:size])[0].root().hex() == ROOTS[size]


def test_the_root_of_nothing() -> None:
    assert CompactRange().root() == EMPTY_ROOT == sha256(b"").digest()


@given(sizes)
def test_root_and_range_from_nodes_agree_with_the_naive_tree(size: int) -> None:
    tree, read = build(numbered(size))
    assert tree.root() == naive_root(numbered(size))
    assert range_at(size, read) == tree
    assert CompactRange.from_bytes(size, tree.to_bytes()) == tree


def test_every_completed_node_is_given_once() -> None:
    _, read = build(numbered(16))
    nodes = [Node(level, position) for level in range(5) for position in range(16 >> level)]
    assert len(read(nodes)) == 31
    assert read([Node(4, 0)])[Node(4, 0)] == naive_root(numbered(16))


@given(st.data(), sizes)
def test_inclusion_proofs_are_the_naive_ones_and_verify(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    tree, read = build(numbered(size))
    proof = inclusion_proof(index, size, read)
    assert proof == naive_path(index, numbered(size))
    verify_inclusion(index, size, leaf_hash(numbered(size)[index]), proof, tree.root())


@given(st.data(), sizes)
def test_an_older_root_is_proven_from_newer_nodes(data: st.DataObject, size: int) -> None:
    older = data.draw(st.integers(min_value=1, max_value=size))
    index = data.draw(st.integers(min_value=0, max_value=older - 1))
    _, read = build(numbered(size))
    proof = inclusion_proof(index, older, read)
    verify_inclusion(index, older, leaf_hash(numbered(size)[index]), proof, naive_root(numbered(older)))


@given(st.data(), sizes)
def test_consistency_proofs_are_the_naive_ones_and_verify(data: st.DataObject, size: int) -> None:
    first = data.draw(st.integers(min_value=0, max_value=size))
    tree, read = build(numbered(size))
    proof = consistency_proof(first, size, read)
    if first:
        assert proof == naive_subproof(first, numbered(size), whole=True)
    old = naive_root(numbered(first))
    verify_consistency(first, size, proof, first_root=old, second_root=tree.root())


@given(st.data(), st.integers(min_value=2, max_value=40))
def test_no_inclusion_proof_fits_another_leaf_index_size_or_root(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    tree, read = build(numbered(size))
    proof, leaf = inclusion_proof(index, size, read), leaf_hash(numbered(size)[index])
    flipped = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
    wrong_part = [*proof[:flipped], bytes(32), *proof[flipped + 1 :]]
    for attempt in (
        (index, size, leaf_hash(b"another"), proof, tree.root()),
        ((index + 1) % size, size, leaf, proof, tree.root()),
        (index, size, leaf, wrong_part, tree.root()),
        (index, size, leaf, proof[:-1], tree.root()),
        (index, size, leaf, [*proof, bytes(32)], tree.root()),
        (index, size, leaf, proof, bytes(32)),
        (size, size, leaf, proof, tree.root()),
        (-1, size, leaf, proof, tree.root()),
    ):
        with pytest.raises(ProofError):
            verify_inclusion(*attempt)


@given(st.data(), st.integers(min_value=2, max_value=40))
def test_no_consistency_proof_fits_a_changed_past(data: st.DataObject, size: int) -> None:
    first = data.draw(st.integers(min_value=1, max_value=size - 1))
    tree, read = build(numbered(size))
    proof, old = consistency_proof(first, size, read), naive_root(numbered(first))
    forged_old = naive_root([b"forged", *numbered(first)[1:]])
    for attempt in (
        (first, size, proof, forged_old, tree.root()),
        (first, size, proof, old, bytes(32)),
        (first, size, [*proof, bytes(32)], old, tree.root()),
        (first, size, proof[:-1], old, tree.root()),
        (size, first, proof, old, tree.root()),
        (first, size, [], old, tree.root()),
        (0, size, proof or [b""], EMPTY_ROOT, tree.root()),
        (0, size, [], old, tree.root()),
        (size, size, proof or [b""], tree.root(), tree.root()),
        (size, size, [], old, tree.root()),
    ):
        with pytest.raises(ProofError):
            verify_consistency(*attempt[:3], first_root=attempt[3], second_root=attempt[4])


def test_what_lies_outside_the_tree_or_is_missing_is_refused() -> None:
    _, read = build(numbered(5))
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ProofError):
            inclusion_proof(index, size, read)
    for first, second in ((6, 5), (-1, 5)):
        with pytest.raises(ProofError):
            consistency_proof(first, second, read)
    with pytest.raises(ProofError, match=r"tree node 1 of level 2 is missing"):
        inclusion_proof(0, 8, read)


@pytest.mark.parametrize(("size", "data"), [(1, b""), (0, bytes(32)), (3, bytes(32)), (1, bytes(31)), (-1, b"")])
def test_a_range_that_cannot_be_is_refused(size: int, data: st.DataObject) -> None:
    with pytest.raises(ValueError, match="compact range"):
        CompactRange.from_bytes(size, data)


def test_a_huge_tree_is_proven_with_few_nodes() -> None:
    asked = []

    def read(wanted: Sequence[Node]) -> dict[Node, bytes]:
        asked.extend(wanted)
        return dict.fromkeys(wanted, bytes(32))

    assert len(inclusion_proof(123_456_789, 10**12, read)) == 40
    assert len(asked) < 80


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 100])
def test_a_range_over_hashes_is_the_one_that_appending_gives(size: int) -> None:
    hashes = [leaf_hash(bytes([number])) for number in range(size)]
    appended = CompactRange()
    for each in hashes:
        appended, _ = appended.append(each)
    assert range_over(iter(hashes)) == appended
