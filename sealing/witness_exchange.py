"""Asking one witness for its cosignature (C2SP tlog-witness), and what its answer says about our own record."""

from base64 import b64encode
from datetime import datetime
from typing import Final

from ledger import merkle, store
from ledger.book import SignedCheckpoint
from ledger.cosignature import merge, read_cosignatures
from ledger.errors import CheckpointError, ForkedError, RecordBrokenError, WitnessedBeyondError
from ledger.witnessed import WitnessAnswer
from outbound.client import Answer, OutboundClient
from outbound.errors import OutboundError
from sealing.witness_list import Witness
from sealing.workshop import Workshop

COSIGNED: Final = "cosigned"
CONFLICTS: Final = frozenset({WitnessedBeyondError.code, ForkedError.code})
"""Outcomes that say that the database is not the record the witness knows."""
_TRIES: Final = 4  # other replicas may be ahead of us with the same witness
_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422
_ANSWERS: Final = (_OK, 400, 403, 404, _CONFLICT, 413, _UNPROCESSABLE, 503)
_LONGEST: Final = 64 * 1024
_SIZE_DIGITS: Final = 19


def ask(
    shop: Workshop, client: OutboundClient, witness: Witness, *, known: int, now: datetime
) -> tuple[WitnessAnswer, str | None]:
    """Have the present head cosigned by one witness; its answer, and the cosigned note if there is one.

    ``known`` is the size it is believed to know. Never raises for what a witness or the network does: then the outcome
    is a code. Raises ``ledger`` and ``keystore`` errors.
    """
    size: int | None = None
    outcome = "witness-busy"
    for _ in range(_TRIES):
        signed = present(shop, now)
        old = known if known <= signed.size else 0
        try:
            answer = _post(shop, client, witness, signed, old)
        except OutboundError as error:
            outcome = error.code
            break
        if answer.status == _OK:
            note = _cosigned(signed, witness, answer)
            outcome, size = (COSIGNED, signed.size) if note else ("cosignature-invalid", size)
            return _answer(witness, now, outcome, size), note
        told = _size(answer) if answer.status == _CONFLICT else None
        if answer.status == _UNPROCESSABLE or (told is not None and told == old == signed.size):
            outcome, size = ForkedError.code, old
            break
        if told is None:
            outcome = "witness-refused"
            break
        size, known = told, told
        if told > present(shop, now).size:
            outcome = WitnessedBeyondError.code
            break
    return _answer(witness, now, outcome, size), None


def conflict(shop: Workshop, answer: WitnessAnswer, name: str) -> RecordBrokenError | None:
    """The error that an answer makes of our record, or None when it says nothing against it."""
    if answer.outcome == ForkedError.code:
        return ForkedError(
            f"台账已分叉：见证人 {name} 在 {answer.size} 条时见证过另一棵树",
            f"the log has forked: witness {name} has cosigned another tree of {answer.size} entries",
        )
    if answer.outcome != WitnessedBeyondError.code:
        return None
    with shop.database.read() as connection:
        size = store.read_head(connection).range.size
    return WitnessedBeyondError(
        f"台账被退回：库中 {size} 条，见证人 {name} 已见证 {answer.size} 条",
        f"the record was rolled back: the database has {size} entries, witness {name} has cosigned {answer.size}",
    )


def present(shop: Workshop, now: datetime) -> SignedCheckpoint:
    """A signed checkpoint over all entries there are. Raises as ``Book.checkpoint``."""
    with shop.database.read() as connection:
        size = store.read_head(connection).range.size
    return shop.book.checkpoint(now, size)


def _post(shop: Workshop, client: OutboundClient, witness: Witness, signed: SignedCheckpoint, old: int) -> Answer:
    with shop.database.read() as connection:
        proof = merkle.consistency_proof(old, signed.size, store.node_reader(connection)) if old else []
    lines = [f"old {old}", *(b64encode(each).decode() for each in proof), "", signed.note]
    return client.post(
        f"{witness.url}/add-checkpoint",
        "\n".join(lines).encode(),
        media_type="text/plain",
        longest=_LONGEST,
        statuses=_ANSWERS,
    )


def _cosigned(signed: SignedCheckpoint, witness: Witness, answer: Answer) -> str | None:
    """The note with the witness's line, or None when the line is not good."""
    try:
        note = merge(signed.note, answer.body.decode())
    except (CheckpointError, UnicodeDecodeError):
        return None
    return note if read_cosignatures(note, [witness.identity]) else None


def _size(answer: Answer) -> int | None:
    text = answer.body.decode(errors="replace").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _SIZE_DIGITS else None


def _answer(witness: Witness, now: datetime, outcome: str, size: int | None) -> WitnessAnswer:
    return WitnessAnswer(witness=witness.identity.vkey, asked=now, outcome=outcome, size=size)
