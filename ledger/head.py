"""The guard of the tree head: what this process knows to be true, against which every stored head is held.

On start it trusts the newest checkpoint that carries our signature, in the database or in small files
outside it, and nothing else; the last cosigned one, which another process may have replaced, is looked at before each
append, too; every leaf under it is hashed once, and from there each leaf that was added, by
whichever replica. So whoever changes rows by SQL cannot have the change signed by the next checkpoint, a
database put back to an earlier state is refused, and what the leaves say is newest about a registry row, an
approval's line or a number is known, whatever the table of subjects says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

from sqlalchemy import Connection

from ledger import merkle, store
from ledger.anchor import Anchor
from ledger.checkpoint import Checkpoint, LogIdentity, open_checkpoint
from ledger.database import UNCOMMITTED_HEAD, after_commit
from ledger.entry import Leaf
from ledger.errors import (
    ForkedError,
    HeadRolledBackError,
    HeadTamperedError,
    ProofError,
    RecordBrokenError,
    WitnessedBeyondError,
)
from ledger.merkle import CompactRange
from ledger.moments import to_text
from ledger.store import Head

REMEMBERED = 100_000  # proven leaves, and newest entries of other subjects, kept in memory; some 30 MB
KEPT = frozenset({"row-", "apl-", "num-", "app-"})
"""Subjects that guard what must not be forgotten or go back: rows, lines of approvals, numbers, applications.

Never dropped.
"""

_KEPT_SUBJECT = re.compile(b'"((?:' + b"|".join(sorted(each.encode() for each in KEPT)) + b')[a-z2-7]{26})"')


class HeadGuard:
    """The newest head this process has verified and seen committed. Shared by threads."""

    def __init__(self, identity: LogIdentity, anchor: Anchor | None, cosigned: Anchor | None = None) -> None:
        """``anchor`` holds the last checkpoint that was signed, ``cosigned`` the last that a witness cosigned."""
        self._identity = identity
        self._anchor = anchor
        self._cosigned = cosigned
        self._cosigned_version: tuple[int, int, int] | None = None
        self._refusal: RecordBrokenError | None = None
        self._lock = Lock()
        self._verified: Head | None = None
        self._proven: dict[int, bytes] = {}
        self._newest: dict[str, int] = {}
        self._kept: dict[str, int] = {}

    @property
    def verified(self) -> Head | None:
        """The newest verified head; None before the first check."""
        return self._verified

    def check(self, connection: Connection, stored: Head, known: Head | None) -> Head:
        """Hold ``stored`` against what is known, and learn from it what was added and committed by others.

        ``known`` is :attr:`verified` as it was before the snapshot that ``stored`` was read from.

        Raises :class:`HeadRolledBackError`, :class:`HeadTamperedError`, :class:`RecordBrokenError`.
        """
        uncommitted: Head | None = connection.info.get(UNCOMMITTED_HEAD)
        if uncommitted is not None and uncommitted == stored:
            return stored
        learned = dict[str, int]()
        if known is None:
            known, learned = self._first(connection, stored)
        if stored.range.size < known.range.size:
            raise _rolled_back(stored.range.size, known.range.size)
        extended, added = _extend(connection, known, stored.range.size)
        if extended != stored:
            raise HeadTamperedError(
                f"台账树头（{stored.range.size} 条）与逐条复算不符",
                f"the stored head of {stored.range.size} entries is not the one computed from its leaves",
            )
        if uncommitted is None:
            self._advance(extended, learned | added)
        return extended

    def check_witnessed(self, connection: Connection, locked: Head) -> None:
        """Hold the head, which is locked, against what witnesses are known to have cosigned.

        Raises :class:`WitnessedBeyondError`, :class:`ForkedError`, and what :meth:`refuse` was told.
        """
        self.check_refusal()
        version = self._cosigned.version() if self._cosigned else None
        if self._cosigned is None or version == self._cosigned_version:
            return
        note = self._cosigned.read()
        if note is not None:
            self._check_cosigned(connection, locked.range.size, open_checkpoint(note, self._identity))
        self._cosigned_version = version

    def _check_cosigned(self, connection: Connection, size: int, cosigned: Checkpoint) -> None:
        if size < cosigned.size:
            raise WitnessedBeyondError(
                f"台账被退回：库中 {size} 条，见证人已见证 {cosigned.size} 条",
                f"the record was rolled back: the database has {size} entries, witnesses have cosigned {cosigned.size}",
            )
        try:
            root = merkle.range_at(cosigned.size, store.node_reader(connection)).root()
        except ProofError:
            root = b""
        if root != cosigned.root:
            raise ForkedError(
                f"台账已分叉：{cosigned.size} 条时的树根不是见证人见证过的",
                f"the log has forked: its root over {cosigned.size} entries is not the one that was cosigned",
            )

    def refuse(self, error: RecordBrokenError | None) -> None:
        """Append and sign nothing more in this process, because of ``error``; None takes that back."""
        self._refusal = error

    def check_refusal(self) -> None:
        """Raises what :meth:`refuse` was told."""
        if self._refusal is not None:
            raise self._refusal

    def begin(self, connection: Connection) -> None:
        """The first check of this process, unless it was made before. Raises as :meth:`check`."""
        if self._verified is None:
            self.check(connection, store.read_head(connection), None)

    def appended(self, connection: Connection, head: Head, leaf_hash: bytes, subjects: Sequence[str]) -> None:
        """Remember what this transaction appended, for good once it is committed."""

        def committed() -> None:
            self._advance(head, dict.fromkeys(subjects, head.range.size - 1))
            self.remember(head.range.size - 1, leaf_hash)

        connection.info[UNCOMMITTED_HEAD] = head
        after_commit(connection, committed)

    def proven(self, index: int) -> bytes | None:
        """The leaf hash that was proven for ``index`` in this process."""
        return self._proven.get(index)

    def remember(self, index: int, leaf_hash: bytes) -> None:
        """Keep the proven hash of a committed leaf; the oldest are forgotten first."""
        if self._verified is None or index >= self._verified.range.size:
            return  # appended by a transaction that may yet be rolled back
        with self._lock:
            if len(self._proven) >= REMEMBERED:
                del self._proven[next(iter(self._proven))]
            self._proven[index] = leaf_hash

    def newest(self, subject: str) -> int | None:
        """The newest entry about ``subject`` that this process has seen committed, or found in the leaves."""
        return self._about(subject).get(subject)

    def _about(self, subject: str) -> dict[str, int]:
        return self._kept if subject[:4] in KEPT else self._newest

    def _advance(self, head: Head, newest: Mapping[str, int]) -> None:
        with self._lock:
            for subject, index in newest.items():
                about = self._about(subject)
                about[subject] = max(index, about.pop(subject, 0))
            while len(self._newest) > REMEMBERED:
                del self._newest[next(iter(self._newest))]
            if self._verified is None or head.range.size > self._verified.range.size:
                self._verified = head

    def _first(self, connection: Connection, stored: Head) -> tuple[Head, dict[str, int]]:
        """The newest head that a signature of ours vouches for, and what its leaves say is newest."""
        row = store.newest_checkpoint(connection)
        signed = [open_checkpoint(row.note, self._identity)] if row else []
        if self._anchor and (note := self._anchor.read()) is not None:
            signed.append(open_checkpoint(note, self._identity))
        self._check_kept(connection, stored.range.size)
        newest = Head(range=CompactRange())
        for checkpoint in sorted(signed, key=lambda each: each.size):
            if stored.range.size < checkpoint.size:
                raise _rolled_back(stored.range.size, checkpoint.size)
            newest = _at(connection, checkpoint)
        return newest, _kept_in(connection, newest)

    def _check_kept(self, connection: Connection, size: int) -> None:
        note = self._cosigned.read() if self._cosigned else None
        if note is not None:
            self._check_cosigned(connection, size, open_checkpoint(note, self._identity))


def _at(connection: Connection, checkpoint: Checkpoint) -> Head:
    """The head of a signed checkpoint, rebuilt from stored nodes and proven to be it."""
    size = checkpoint.size
    try:
        known = merkle.range_at(size, store.node_reader(connection))
        time = _time_of(connection, size - 1, checkpoint) if size else None
    except ProofError as error:
        raise _not_signed(size, error.zh, error.en) from error
    if known.root() != checkpoint.root:
        raise _not_signed(size, "树根不同", "another root")
    return Head(range=known, time=time)


def _kept_in(connection: Connection, head: Head) -> dict[str, int]:
    """The newest entry about each kept subject, from all leaves under ``head``, which are proven to be its leaves.

    The leaves are searched, not parsed: they are bytes that this log wrote, once their root is the signed one.
    """
    newest = dict[str, int]()

    def hashes() -> Iterator[bytes]:
        for index, data in enumerate(store.leaves(connection, 0, head.range.size)):
            for subject in _KEPT_SUBJECT.findall(data):
                newest[subject.decode()] = index
            yield merkle.leaf_hash(data)

    if merkle.range_over(hashes()) != head.range:
        raise _not_signed(head.range.size, "条目复算的树根不同", "its leaves have another root")
    return newest


def _time_of(connection: Connection, index: int, checkpoint: Checkpoint) -> str:
    """The time of a leaf that is proven to be in the tree of ``checkpoint``."""
    (leaf,) = store.leaves(connection, index, index + 1)
    proof = merkle.inclusion_proof(index, checkpoint.size, store.node_reader(connection))
    merkle.verify_inclusion(index, checkpoint.size, merkle.leaf_hash(leaf), proof, checkpoint.root)
    return to_text(Leaf.from_bytes(leaf).time)


def _extend(connection: Connection, known: Head, size: int) -> tuple[Head, dict[str, int]]:
    """``known`` with the stored leaves after it, re-hashed; and their subjects with the newest entry."""
    head, newest = known, dict[str, int]()
    for data in store.leaves(connection, known.range.size, size):
        leaf = Leaf.from_bytes(data)
        newest.update(dict.fromkeys(leaf.subjects, head.range.size))
        tree, _ = head.range.append(merkle.leaf_hash(data))
        head = Head(range=tree, time=to_text(leaf.time))
    return head, newest


def _not_signed(size: int, zh: str, en: str) -> HeadTamperedError:
    return HeadTamperedError(
        f"库中的树与已签检查点（{size} 条）不符：{zh}",
        f"the stored tree does not lead to the signed checkpoint of {size} entries: {en}",
    )


def _rolled_back(stored: int, known: int) -> HeadRolledBackError:
    return HeadRolledBackError(
        f"台账被退回：库中 {stored} 条，已签发或核验过 {known} 条",
        f"the record was rolled back: the database has {stored} entries, {known} were verified before",
    )
