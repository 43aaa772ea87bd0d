"""The Merkle tree of RFC 6962 section 2 and RFC 9162 section 2.1, as pure functions over SHA-256.

A node is addressed as in C2SP tlog-tiles: node (level, position) is the root of the complete subtree over
the leaves position * 2**level up to (position + 1) * 2**level. Completed nodes never change, so a store of
them answers every proof.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from ledger.errors import ProofError

HASH_LENGTH = 32
EMPTY_ROOT = sha256(b"").digest()


class Node(NamedTuple):
    """Address of a complete subtree; level 0 are the leaf hashes."""

    level: int
    position: int


NodeReader = Callable[[Sequence[Node]], Mapping[Node, bytes]]
"""Reads many complete nodes at once.

A node it does not know is left out; the functions here then raise ProofError.
"""


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256 of a zero byte and the leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256 of a one byte and both children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactRange:
    """A whole tree as the roots of its perfect subtrees, largest first: enough to append and for the root."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"compact range of {self.size} leaves has {len(self.hashes)} hashes")
        if any(len(part) != HASH_LENGTH for part in self.hashes):
            raise ValueError(f"compact range holds a hash that is not {HASH_LENGTH} bytes long")

    def append(self, hash_of_leaf: bytes) -> tuple["CompactRange", list[tuple[Node, bytes]]]:
        """The range with one leaf more, and the nodes of level 1 and above that this leaf completes."""
        stack, completed, current = list(self.hashes), [], hash_of_leaf
        level, index = 0, self.size
        while index & 1:
            current = node_hash(stack.pop(), current)
            level, index = level + 1, index >> 1
            completed.append((Node(level, index), current))
        stack.append(current)
        return CompactRange(size=self.size + 1, hashes=tuple(stack)), completed

    def root(self) -> bytes:
        """The Merkle tree hash (RFC 6962 2.1); of no leaves, the hash of nothing."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        """The hashes one after the other; the size is kept beside them."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "CompactRange":
        """Raises ValueError when ``data`` is not as long as ``size`` asks."""
        parts = tuple(data[start : start + HASH_LENGTH] for start in range(0, len(data), HASH_LENGTH))
        return cls(size=size, hashes=parts)


def range_over(hashes: Iterable[bytes]) -> CompactRange:
    """The compact range of leaf hashes, as by one append after another, in a quarter of the time."""
    size, stack = 0, list[bytes]()
    for each in hashes:
        current, index = each, size
        while index & 1:
            current = node_hash(stack.pop(), current)
            index >>= 1
        stack.append(current)
        size += 1
    return CompactRange(size=size, hashes=tuple(stack))


def range_at(size: int, read: NodeReader) -> CompactRange:
    """The compact range of the first ``size`` leaves, from stored nodes. Raises :class:`ProofError`."""
    nodes = list(_cover(0, size))
    known = _read(nodes, read)
    return CompactRange(size=size, hashes=tuple(known[node] for node in nodes))


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves (RFC 6962 2.1.1).

    Raises :class:`ProofError`.
    """
    if not 0 <= index < size:
        raise ProofError(f"树大小为 {size}，没有第 {index} 条", f"no entry {index} in a tree of {size}")
    return _hashes(_audit_path(index, 0, size), read)


def consistency_proof(first: int, second: int, read: NodeReader) -> list[bytes]:
    """The proof that the tree of ``second`` leaves extends that of ``first`` (RFC 6962 2.1.2).

    Raises ProofError.
    """
    if not 0 <= first <= second:
        raise ProofError(f"树大小 {first} 不能到 {second}", f"no consistency proof from size {first} to {second}")
    return _hashes([] if first == 0 else _consistency_path(first, second), read)


def verify_inclusion(index: int, size: int, hash_of_leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check an audit path (RFC 9162 2.1.3.2). Raises :class:`ProofError`."""
    position, last, current = index, size - 1, hash_of_leaf
    if not 0 <= index < size:
        raise ProofError(f"树大小为 {size}，没有第 {index} 条", f"no entry {index} in a tree of {size}")
    for part in proof:
        if last == 0:
            raise ProofError("包含证明过长", f"inclusion proof of {len(proof)} hashes is longer than the tree is high")
        if position & 1 or position == last:
            current = node_hash(part, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, part)
        position, last = position >> 1, last >> 1
    if last or current != root:
        raise ProofError(
            f"第 {index} 条的包含证明不符合树根",
            f"the inclusion proof of entry {index} does not lead to the root",
        )


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], *, first_root: bytes, second_root: bytes
) -> None:
    """Check that one tree extends another (RFC 9162 2.1.4.2). Raises :class:`ProofError`."""
    if not _consistent(first, second, proof, first_root, second_root):
        raise ProofError(
            f"大小 {first} 与 {second} 的两棵树不一致",
            f"the tree of {second} is not shown to extend the tree of {first}",
        )


def _consistent(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return second > 0 and not proof and first_root == EMPTY_ROOT
    parts = list(proof)
    if first.bit_count() == 1:
        parts.insert(0, first_root)
    if not 0 < first < second or not parts:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, part)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


Span = tuple[int, int]
"""Leaves from the first number up to, not including, the second: a subtree that RFC 6962 names D[k1:k2]."""


def _split(start: int, end: int) -> int:
    """Where RFC 6962 splits: the largest power of two below the number of leaves, from ``start``."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _audit_path(index: int, start: int, end: int) -> list[Span]:
    path: list[Span] = []
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def _consistency_path(first: int, second: int) -> list[Span]:
    path: list[Span] = []
    start, end = 0, second
    while first < end:
        middle = _split(start, end)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    # RFC 6962 2.1.2: the old root is left out when the verifier has it: when nothing lies left of it.
    return [*([(start, end)] if start else []), *path[::-1]]


def _cover(start: int, end: int) -> Iterator[Node]:
    """The complete nodes that make up a span, left to right; ``start`` is aligned to the largest of them."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield Node(level, start >> level)
        start += 1 << level


def _hashes(spans: Sequence[Span], read: NodeReader) -> list[bytes]:
    covers = [list(_cover(*span)) for span in spans]
    known = _read([node for cover in covers for node in cover], read)
    return [_fold([known[node] for node in cover]) for cover in covers]


def _read(nodes: Sequence[Node], read: NodeReader) -> Mapping[Node, bytes]:
    known = read(nodes) if nodes else {}
    for node in nodes:
        if node not in known:
            raise ProofError(
                f"缺少第 {node.level} 层第 {node.position} 个树节点",
                f"tree node {node.position} of level {node.level} is missing",
            )
    return known


def _fold(hashes: Sequence[bytes]) -> bytes:
    current = hashes[-1]
    for left in reversed(hashes[:-1]):
        current = node_hash(left, current)
    return current
