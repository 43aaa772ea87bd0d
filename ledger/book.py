"""The book: the append-only record, one entry at a time, checkpoints over it, and proofs from it.

The database is not trusted for integrity (see :mod:`ledger.tables`): what is read is hashed again, what is
appended stands on a head that this process has verified, and what is given away is checked like a stranger
would.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from keystore.interface import Grounds, GroundsError, SigningKey, wants_grounds
from ledger import entry as entries
from ledger import merkle, store, witnessed
from ledger.anchor import Anchor
from ledger.audit import Break, Progress, audit
from ledger.canonical import JsonValue, parse
from ledger.checkpoint import Checkpoint, LogIdentity, open_checkpoint, sign_checkpoint
from ledger.cosignature import WitnessIdentity, read_cosignatures
from ledger.database import Database, is_writing, waited
from ledger.entry import ERASURE, ERASURE_GROUP, Draft, Leaf, Opening
from ledger.errors import (
    ClockBehindError,
    DraftError,
    EntryNotFoundError,
    LedgerError,
    ProofError,
    RecordBrokenError,
)
from ledger.evidence import Evidence
from ledger.growth import REACHES, growth
from ledger.head import HeadGuard
from ledger.ids import new_id
from ledger.moments import from_text, to_text
from ledger.signed_note import read_note
from ledger.store import Addition, Head

SKEW = timedelta(seconds=2)
"""How much later than ``now`` the last entry may be, beside the time for which this writer waited for the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """Where a draft went; ``time`` is never before that of the entry it follows."""

    index: int
    leaf_hash: bytes
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry as read: the leaf hashed again, each opening checked against its commitment."""

    index: int
    leaf: Leaf
    data: bytes
    leaf_hash: bytes
    openings: Mapping[str, Opening]
    erased: Mapping[str, int] = field(default_factory=dict)  # group: index of the entry that records the erasure

    @property
    def kind(self) -> str:
        """What the entry records, e.g. ``seal.issue``."""
        return self.leaf.kind

    @property
    def time(self) -> datetime:
        """When it was appended."""
        return self.leaf.time

    def opening(self, group: str) -> Opening:
        """The opening of ``group``. Raises :class:`EntryNotFoundError` when it never was, or was erased."""
        if group not in self.openings:
            raise EntryNotFoundError(
                f"第 {self.index} 条没有字段组 {group}，或其内容已依规清除",
                f"entry {self.index} has no group {group}, or its opening was erased",
            )
        return self.openings[group]

    def value(self, group: str) -> JsonValue:
        """What was recorded in ``group``; raises as :meth:`opening`."""
        return self.opening(group).value


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A tree head and the signed note that holds it, with such cosignatures as there are."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A tree head that a witness has cosigned, and the earliest time at which one did."""

    size: int
    root: bytes
    time: datetime


class Book:
    """The record of one log. Shared by threads; one in each process that appends."""

    def __init__(
        self,
        database: Database,
        identity: LogIdentity,
        key: SigningKey,
        *,
        last_checkpoint: Path | None = None,
        last_cosigned: Path | None = None,
        witnesses: Sequence[WitnessIdentity] = (),
    ) -> None:
        """Two files outside the database notice a database put back from a copy: ``last_checkpoint`` has the last
        checkpoint that was signed, ``last_cosigned`` the last that one of ``witnesses`` cosigned.
        """  # noqa: D205  one sentence
        self.database = database
        self.identity = identity
        self._key = key
        self._anchor = Anchor(last_checkpoint) if last_checkpoint else None
        self._cosigned = Anchor(last_cosigned) if last_cosigned else None
        self._guard = HeadGuard(identity, self._anchor, self._cosigned)
        self.witnesses = tuple(witnesses)

    def append(self, connection: Connection, draft: Draft, now: datetime) -> Appended:
        """Append ``draft`` inside the caller's :meth:`Database.write`; the head stays locked until that ends.

        Raises :class:`ClockBehindError`, :class:`DraftError`, :class:`NotCanonicalError`,
        :class:`HeadTamperedError`, :class:`HeadRolledBackError`. One entry for each use: [000 二(三)].
        """
        head = self._guard.check(connection, store.lock_head(connection), self._guard.verified)
        self._guard.check_witnessed(connection, head)
        now = _not_before(head.time, now, SKEW + waited(connection))
        time, index = to_text(now), head.range.size
        leaf, openings = entries.prepare(draft, new_id("ent"), now)
        data = leaf.to_bytes()
        leaf_hash = merkle.leaf_hash(data)
        tree, completed = head.range.append(leaf_hash)
        new_head = Head(range=tree, time=time)
        store.add(
            connection,
            Addition(
                index=index,
                kind=draft.kind,
                leaf=data,
                leaf_hash=leaf_hash,
                subjects=draft.subjects,
                openings=openings,
                nodes=completed,
                head=new_head,
            ),
        )
        self._guard.appended(connection, new_head, leaf_hash, draft.subjects)
        return Appended(index=index, leaf_hash=leaf_hash, time=leaf.time)

    def hold(self, connection: Connection) -> None:
        """Lock the head inside the caller's :meth:`Database.write`: nobody else appends until that ends."""
        store.lock_head(connection)

    def size(self, connection: Connection) -> int:
        """How many entries the record has in this transaction."""
        return store.read_head(connection).range.size

    def kinds_after(self, connection: Connection, index: int) -> set[str]:
        """The kinds of the entries behind entry ``index``."""
        return store.kinds_after(connection, index)

    def entry(self, connection: Connection, index: int) -> StoredEntry:
        """Entry ``index``. Raises :class:`EntryNotFoundError`, :class:`RecordBrokenError`."""
        row = store.entry_row(connection, index)
        if row is None:
            raise EntryNotFoundError(f"台账没有第 {index} 条", f"the record has no entry {index}")
        leaf, leaf_hash = Leaf.from_bytes(row.leaf), merkle.leaf_hash(row.leaf)
        if (leaf_hash, leaf.kind, to_text(leaf.time)) != (row.leaf_hash, row.kind, row.time):
            raise _broken(index, "各列与条目字节不符", "its columns do not fit its leaf")
        openings, erased = {}, {}
        for opening in store.opening_rows(connection, index):
            if opening.erased_by is not None:
                erased[opening.group] = opening.erased_by
            else:
                openings[opening.group] = _opened(leaf, index, opening.group, (opening.salt, opening.value))
        if openings.keys() | erased.keys() != leaf.commitments.keys():
            raise _broken(index, "字段组与承诺不一一对应", "its openings are not one for each commitment")
        return StoredEntry(index=index, leaf=leaf, data=row.leaf, leaf_hash=leaf_hash, openings=openings, erased=erased)

    def latest(self, connection: Connection, subject: str) -> StoredEntry | None:
        """The newest entry about ``subject``, or None. Raises :class:`RecordBrokenError`."""
        index = self.newest(connection, subject)
        if index is None:
            return None
        found = self.entry(connection, index)
        if subject not in found.leaf.subjects:
            raise _broken(index, f"并不涉及 {subject}", f"it is not about {subject}")
        return found

    def newest(self, connection: Connection, subject: str) -> int | None:
        """The number of the newest entry about ``subject``, or None. Raises :class:`RecordBrokenError`."""
        index = store.newest_index(connection, subject)
        missing = self.newer(connection, subject, -1 if index is None else index)
        if missing is not None:
            raise _broken(missing, f"从 {subject} 的索引中消失", f"it is gone from the index of {subject}")
        return index

    def newer(self, connection: Connection, subject: str, index: int) -> int | None:
        """An entry about ``subject`` behind ``index`` that this process knows of and ``connection`` should see."""
        self._guard.begin(connection)
        known = self._guard.newest(subject)
        if known is not None and known > index and known < store.read_head(connection).range.size:
            return known
        return None

    def indexes(self, connection: Connection, *kinds: str, after: int = -1) -> list[int]:
        """The numbers of the entries of these kinds behind ``after``; ``seal.%`` names all that begin so."""
        return store.indexes(connection, kinds, after)

    def named_after(self, connection: Connection, index: int, subject: str) -> int | None:
        """The first entry behind ``index`` whose leaf names ``subject``; the table of subjects is not asked."""
        size = store.read_head(connection).range.size
        for number, data in enumerate(store.leaves(connection, index + 1, size), index + 1):
            if subject.encode() in data and subject in Leaf.from_bytes(data).subjects:
                return number
        return None

    def trusted(self, connection: Connection, index: int) -> StoredEntry:
        """As :meth:`entry`, and proven, once in this process, to be in the tree this process has verified.

        Raises :class:`EntryNotFoundError`, :class:`RecordBrokenError`.
        """
        found = self.entry(connection, index)
        known = self._guard.proven(index)
        if known is None:
            self._prove(connection, found)
        elif known != found.leaf_hash:
            raise _broken(index, "与已核验的内容不同", "it is not the one that was verified before")
        return found

    def checkpoint(self, now: datetime, at_least: int) -> SignedCheckpoint:
        """A signed checkpoint over ``at_least`` entries or more: the first stored, else a new one over all.

        Called outside any transaction; no lock is held while the log key is used. Raises
        :class:`EntryNotFoundError` when the record is shorter, KeystoreError, :class:`RecordBrokenError`.
        """
        tries = list(REACHES if wants_grounds(self._key) else REACHES[:1])
        while True:
            with self._snapshot() as (connection, head):
                row = store.covering_checkpoint(connection, at_least)
                if row is not None:
                    return self._stored_checkpoint(row.note)
                reach = tries.pop(0)
                grounds = growth(connection, head, reach) if wants_grounds(self._key) else None
            if head.range.size < at_least:
                raise EntryNotFoundError(
                    f"台账只有 {head.range.size} 条；要求 {at_least} 条",
                    f"the record has {head.range.size} entries, {at_least} asked",
                )
            try:
                return self._sign(head, grounds, now)
            except GroundsError:  # another replica was faster, or has signed since: look again
                if not tries:
                    raise

    def cosigned(self, at_least: int = 0, *, needed: int = 1) -> witnessed.CosignedNote | None:
        """The smallest checkpoint over ``at_least`` entries or more with ``needed`` good cosignatures."""
        with self.database.read() as connection:
            return witnessed.covering(connection, at_least, self.witnesses, needed=needed)

    def last_witnessed(self, connection: Connection) -> Witnessed | None:
        """The largest tree head with a good cosignature: nothing that is appended now is older than its time."""
        found = witnessed.newest(connection, self.witnesses)
        if found is None:
            return None
        checkpoint = open_checkpoint(found.note, self.identity)
        return Witnessed(size=checkpoint.size, root=checkpoint.root, time=found.time)

    def keep_cosigned(self, note: str) -> int:
        """Store the good cosignatures in ``note``, in the database and in the file outside it; how many they are.

        Raises :class:`CheckpointError`, :class:`DatabaseError`, OSError.
        """
        checkpoint = open_checkpoint(note, self.identity)
        lines = {each.name: each for each in reversed(read_note(note).signatures)}
        good = read_cosignatures(note, self.witnesses)
        if not good:
            return 0
        with self.database.write() as connection:
            store.add_checkpoint(connection, checkpoint, note, to_text(good[0].time))
            for each in good:
                witnessed.keep_cosignature(connection, checkpoint.size, each, str(lines[each.witness.name]))
        if self._cosigned:
            kept = self._cosigned.read()
            if kept is None or open_checkpoint(kept, self.identity).size <= checkpoint.size:
                self._cosigned.replace(note)
        return len(good)

    def refuse(self, error: RecordBrokenError | None) -> None:
        """Append and sign nothing more in this process, because of ``error``; None takes that back."""
        self._guard.refuse(error)

    def check_refusal(self) -> None:
        """Raises what :meth:`refuse` was told."""
        self._guard.check_refusal()

    def evidence(self, index: int, groups: Collection[str], now: datetime, *, needed: int = 1) -> Evidence:
        """What shows entry ``index`` to a stranger, with the openings of ``groups`` that were not erased.

        The checkpoint in it is the first that ``needed`` witnesses cosigned, else the first with an outside
        time-stamp, else the first that was signed. Checked before it is returned. Called outside any transaction;
        raises as :meth:`checkpoint` and :meth:`entry`, and :class:`EntryNotFoundError` for a group the entry does not
        have.
        """
        return self.evidence_under(self._vouched(index + 1, needed) or self.checkpoint(now, index + 1), index, groups)

    def evidence_under(self, signed: SignedCheckpoint, index: int, groups: Collection[str]) -> Evidence:
        """As :meth:`evidence`, under a checkpoint that is at hand and covers the entry."""
        with self._snapshot() as (connection, _):
            found = self.entry(connection, index)
            proof = merkle.inclusion_proof(index, signed.size, store.node_reader(connection))
            tokens = witnessed.tokens(connection, signed.size)
        openings = {group: found.opening(group) for group in groups if group not in found.erased}
        evidence = Evidence(
            index=index,
            leaf=found.data,
            openings=openings,
            proof=tuple(proof),
            checkpoint=signed.note,
            tokens=tokens,
        )
        # Leaf and openings were checked as they were read, the note when it was signed or read.
        merkle.verify_inclusion(index, signed.size, found.leaf_hash, proof, signed.root)
        return evidence

    def erase(
        self,
        connection: Connection,
        index: int,
        groups: Collection[str],
        *,
        reason: str,
        by: str,
        now: datetime,
    ) -> Appended:
        """Erase the openings of ``groups`` and record that as an entry of kind ``opening.erased``.

        The leaf, and so the tree, does not change. ``by`` is the opaque id of who decided. Raises
        :class:`EntryNotFoundError` for a group that is not there or erased before, :class:`DraftError` for
        the opening of an erasure itself.
        """
        found = self.entry(connection, index)
        if found.kind == ERASURE:
            raise DraftError("清除记录本身不得清除", "the record of an erasure cannot be erased")
        for group in groups:
            found.value(group)
        value: JsonValue = {"entry": index, "groups": sorted(groups), "reason": reason, "by": by}
        draft = Draft(kind=ERASURE, subjects=(found.leaf.id,), groups={ERASURE_GROUP: value})
        appended = self.append(connection, draft, now)
        store.erase_openings(connection, index, groups, appended.index)
        return appended

    def audit(self, progress: Progress | None = None) -> list[Break]:
        """Walk the whole record and name the first broken line of each kind; [] means sound."""
        kept = [note for each in (self._anchor, self._cosigned) if each and (note := each.read()) is not None]
        with self.database.read() as connection:
            return audit(connection, self.identity, kept=kept, progress=progress)

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[Connection, Head]]:
        """A reader and its verified head. What was known before it began is the least that it must hold."""
        known = self._guard.verified
        with self.database.read() as connection:
            yield connection, self._guard.check(connection, store.read_head(connection), known)

    def _prove(self, connection: Connection, found: StoredEntry) -> None:
        known = self._guard.verified
        stored = store.read_head(connection)
        if known is not None and stored.range.size < known.range.size and not is_writing(connection):
            # The caller's snapshot is older than what this process has verified since; a new one is not.
            with self._snapshot() as (fresh, head):
                self._prove_in(fresh, head, found)
        else:
            self._prove_in(connection, self._guard.check(connection, stored, known), found)

    def _prove_in(self, connection: Connection, head: Head, found: StoredEntry) -> None:
        size, root = head.range.size, head.range.root()
        try:
            proof = merkle.inclusion_proof(found.index, size, store.node_reader(connection))
            merkle.verify_inclusion(found.index, size, found.leaf_hash, proof, root)
        except ProofError as error:
            raise _broken(
                found.index, f"不在已核验的树中：{error.zh}", f"it is not in the verified tree: {error.en}"
            ) from error
        self._guard.remember(found.index, found.leaf_hash)

    def _vouched(self, at_least: int, needed: int) -> SignedCheckpoint | None:
        """The checkpoint that somebody else vouches for, if one does."""
        with self.database.read() as connection:
            cosigned = witnessed.covering(connection, at_least, self.witnesses, needed=max(1, needed))
            if cosigned is not None:
                return self._stored_checkpoint(cosigned.note)
            size = witnessed.stamped(connection, at_least)
            row = None if size is None else store.covering_checkpoint(connection, size)
            return None if row is None else self._stored_checkpoint(row.note)

    def _stored_checkpoint(self, note: str) -> SignedCheckpoint:
        checkpoint = open_checkpoint(note, self.identity)
        return SignedCheckpoint(size=checkpoint.size, root=checkpoint.root, note=note)

    def _sign(self, head: Head, grounds: Grounds | None, now: datetime) -> SignedCheckpoint:
        self._guard.check_refusal()
        checkpoint = Checkpoint(origin=self.identity.origin, size=head.range.size, root=head.range.root())
        note = sign_checkpoint(checkpoint, self.identity, self._key, grounds)
        with self.database.write(sync=False) as connection:
            store.add_checkpoint(connection, checkpoint, note, to_text(now))
        if self._anchor:
            self._anchor.write(note, checkpoint.size, now)
        return SignedCheckpoint(size=checkpoint.size, root=checkpoint.root, note=note)


def _not_before(last: str | None, now: datetime, tolerated: timedelta) -> datetime:
    """The time of the next entry: ``now``, or the last entry's if others were written while this writer waited."""
    if last is None or to_text(now) >= last:
        return now
    moment = from_text(last)
    if moment - now > tolerated:
        raise ClockBehindError(
            f"时钟落后：现为 {to_text(now)}，最近一条为 {last}",
            f"the clock is behind: now is {to_text(now)}, the last entry was written at {last}",
        )
    return moment


def _opened(leaf: Leaf, index: int, group: str, row: tuple[bytes | None, bytes | None]) -> Opening:
    salt, value = row
    if salt is None or value is None:
        raise _broken(index, f"字段组 {group} 的内容缺失而无清除记录", f"group {group} is gone without an erasure")
    try:
        opening = Opening(group=group, salt=salt, value=parse(value))
        leaf.check(opening)
    except LedgerError as error:
        raise _broken(index, error.zh, error.en) from error
    return opening


def _broken(index: int, zh: str, en: str) -> RecordBrokenError:
    return RecordBrokenError(f"台账第 {index} 条：{zh}", f"entry {index}: {en}")
