"""The body of ``add-checkpoint`` (C2SP tlog-witness): old size, consistency proof, empty line, checkpoint."""

import re
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint, read_checkpoint
from ledger.errors import CheckpointError
from ledger.merkle import HASH_LENGTH
from ledger.signed_note import Note, from_base64, read_note
from witness.errors import RefusedError

LONGEST = 128 * 1024
"""Bytes of one request: 63 hashes, a checkpoint and more than 16 signatures of the longest kind."""
MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """What a log asks to have cosigned; nothing in it is judged but its form."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def read_request(body: bytes) -> AddCheckpoint:
    """Take a body apart. Raises :class:`RefusedError` when it is malformed."""
    try:
        head, separator, rest = body.decode().partition("\n\n")
        first, *hashes = head.split("\n")
        old = _OLD.fullmatch(first)
        if old is None or not separator or len(hashes) > MOST_HASHES:
            raise _malformed(
                "应为 old 行、至多 63 行证明、空行、检查点", "old line, up to 63 hashes, checkpoint expected"
            )
        note = read_note(rest)
        request = AddCheckpoint(
            old_size=int(old[1]),
            proof=tuple(_hash(line) for line in hashes),
            note=note,
            checkpoint=read_checkpoint(note.text),
        )
    except (CheckpointError, UnicodeDecodeError) as error:
        raise _malformed(f"格式不对：{error}", str(error)) from error
    if request.old_size > request.checkpoint.size:
        raise _malformed(
            f"旧大小 {request.old_size} 大于检查点的 {request.checkpoint.size}",
            f"old size {request.old_size} is above the checkpoint's {request.checkpoint.size}",
        )
    return request


def _hash(line: str) -> bytes:
    data = from_base64(line)
    if len(data) != HASH_LENGTH:
        raise _malformed("证明散列应为 32 字节", f"a proof hash has {len(data)} bytes; 32 expected")
    return data


def _malformed(zh: str, en: str) -> RefusedError:
    return RefusedError("request-malformed", zh, en)
