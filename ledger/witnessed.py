"""What others have vouched for: cosignatures of witnesses and outside time-stamps under our checkpoints.

A stored cosignature counts only while its witness is configured and its signature is good; whoever can write SQL can
take cosignatures away, and add none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, Select, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger import tables as t
from ledger.cosignature import Cosignature, WitnessIdentity, merge, read_cosignatures
from ledger.errors import LedgerError
from ledger.moments import from_text, to_text

_NOTES = (
    select(t.checkpoints.c.size, t.checkpoints.c.note, t.cosignatures.c.line)
    .join(t.cosignatures, t.cosignatures.c.size == t.checkpoints.c.size)
    .where(t.cosignatures.c.witness.in_(bindparam("witnesses", expanding=True)))
)
_COVERING = _NOTES.where(t.checkpoints.c.size >= bindparam("at_least")).order_by(t.checkpoints.c.size).limit(1000)
_NEWEST = _NOTES.order_by(t.checkpoints.c.size.desc()).limit(bindparam("most"))
_ADD_COSIGNATURE = {
    "sqlite": sqlite_insert(t.cosignatures).on_conflict_do_nothing(),
    "postgresql": postgresql_insert(t.cosignatures).on_conflict_do_nothing(),
}
_SQLITE_ANSWER, _POSTGRESQL_ANSWER = sqlite_insert(t.witnesses), postgresql_insert(t.witnesses)
_REPLACED = ("asked", "outcome", "size")
_REPLACE_ANSWER = {
    "sqlite": _SQLITE_ANSWER.on_conflict_do_update(
        index_elements=["witness"], set_={name: _SQLITE_ANSWER.excluded[name] for name in _REPLACED}
    ),
    "postgresql": _POSTGRESQL_ANSWER.on_conflict_do_update(
        index_elements=["witness"], set_={name: _POSTGRESQL_ANSWER.excluded[name] for name in _REPLACED}
    ),
}
_STAMPED = select(func.min(t.checkpoint_tokens.c.size)).where(t.checkpoint_tokens.c.size >= bindparam("at_least"))
_TOKENS = select(t.checkpoint_tokens.c.token).where(t.checkpoint_tokens.c.size == bindparam("size"))
_LAST_TOKEN = select(func.max(t.checkpoint_tokens.c.time))
_ANSWERS = select(t.witnesses)


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignedNote:
    """A checkpoint's note with its good cosignatures, and who made them when."""

    size: int
    note: str
    cosignatures: tuple[Cosignature, ...]

    @property
    def time(self) -> datetime:
        """The earliest time at which a witness vouched for it."""
        return min(each.time for each in self.cosignatures)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAnswer:
    """What one witness last answered; ``size`` is the largest it said it knows, ``outcome`` a code."""

    witness: str
    asked: datetime
    outcome: str
    size: int | None


def covering(
    connection: Connection, at_least: int, witnesses: Sequence[WitnessIdentity], *, needed: int
) -> CosignedNote | None:
    """The smallest checkpoint over ``at_least`` entries or more with ``needed`` good cosignatures."""
    rows = _notes(connection, _COVERING, witnesses, at_least=at_least)
    return next((note for note in rows if len(note.cosignatures) >= needed), None)


def newest(connection: Connection, witnesses: Sequence[WitnessIdentity], *, needed: int = 1) -> CosignedNote | None:
    """The largest checkpoint with ``needed`` good cosignatures, among the newest ones."""
    rows = _notes(connection, _NEWEST, witnesses, most=100 * max(1, len(witnesses)))
    return next((note for note in rows if len(note.cosignatures) >= needed), None)


def keep_cosignature(connection: Connection, size: int, cosignature: Cosignature, line: str) -> None:
    """Store the line of a good cosignature; the first by a witness under a checkpoint stays."""
    row = {"size": size, "witness": cosignature.witness.vkey, "line": line, "time": to_text(cosignature.time)}
    connection.execute(_ADD_COSIGNATURE[connection.dialect.name], row)


def keep_answer(connection: Connection, answer: WitnessAnswer) -> None:
    """Store what a witness answered in place of what it answered before."""
    row = {
        "witness": answer.witness,
        "asked": to_text(answer.asked),
        "outcome": answer.outcome,
        "size": answer.size,
    }
    connection.execute(_REPLACE_ANSWER[connection.dialect.name], row)


def answers(connection: Connection) -> dict[str, WitnessAnswer]:
    """What each witness last answered, by verifier key."""
    return {
        row.witness: WitnessAnswer(witness=row.witness, asked=from_text(row.asked), outcome=row.outcome, size=row.size)
        for row in connection.execute(_ANSWERS)
    }


def keep_token(connection: Connection, size: int, token: bytes, now: datetime) -> None:
    """Store a time-stamp token over the text of the checkpoint of ``size`` entries."""
    connection.execute(insert(t.checkpoint_tokens), {"size": size, "token": token, "time": to_text(now)})


def last_token(connection: Connection) -> datetime | None:
    """When a checkpoint was last time-stamped by somebody else."""
    time: str | None = connection.execute(_LAST_TOKEN).scalar_one()
    return None if time is None else from_text(time)


def stamped(connection: Connection, at_least: int) -> int | None:
    """The size of the smallest time-stamped checkpoint over ``at_least`` entries or more."""
    size: int | None = connection.execute(_STAMPED, {"at_least": at_least}).scalar_one()
    return size


def tokens(connection: Connection, size: int) -> tuple[bytes, ...]:
    """The time-stamp tokens of one checkpoint."""
    return tuple(connection.execute(_TOKENS, {"size": size}).scalars())


def _notes(
    connection: Connection, query: Select[int, str, str], witnesses: Sequence[WitnessIdentity], **values: int
) -> Iterator[CosignedNote]:
    if not witnesses:
        return
    wanted = {"witnesses": [each.vkey for each in witnesses], **values}
    with connection.execute(query, wanted) as rows:
        for (size, note), lines in groupby(rows, key=lambda row: (row.size, row.note)):
            cosigned = _cosigned(size, note, [row.line for row in lines], witnesses)
            if cosigned.cosignatures:
                yield cosigned


def _cosigned(size: int, note: str, lines: Sequence[str], witnesses: Sequence[WitnessIdentity]) -> CosignedNote:
    """``note`` with those lines that are good; others are left out, so that no row can spoil a receipt."""
    text, found = note.partition("\n\n")[0], list[Cosignature]()
    for line in lines:
        try:
            added = read_cosignatures(f"{text}\n\n{line}\n", witnesses)
        except LedgerError:
            continue
        if added:
            found += added
            note = merge(note, f"{line}\n")
    return CosignedNote(size=size, note=note, cosignatures=tuple(found))
