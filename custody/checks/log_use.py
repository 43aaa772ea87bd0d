"""The log's key signs only trees that grow: never a smaller one, never another of the same size, never a fork.

The process keeps the tree of its last checkpoint as a compact range. A caller brings the hashes of the leaves since
then, and the process computes the new root by itself; so whatever it signed is one line of growth, for ever.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import log_identity
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue
from ledger.checkpoint import Checkpoint, read_checkpoint
from ledger.errors import CheckpointError
from ledger.merkle import HASH_LENGTH, CompactRange
from ledger.signed_note import raw_ed25519


def check_log(request: UseRequest, state: CheckState, _now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a checkpoint that may be signed. Refuses any other message."""
    identity = log_identity(state)
    try:
        wanted = read_checkpoint(request.message.decode())
        same_key = raw_ed25519(request.algorithm, request.public_key) == identity.public_key
    except (CheckpointError, UnicodeDecodeError) as error:
        refuse(
            f"要签名的不是检查点（{type(error).__name__}）", f"not the text of a checkpoint ({type(error).__name__})"
        )
    refuse_unless(same_key, "另有台账密钥先签过检查点", "another log key is the one that signs for this log")
    refuse_unless(
        wanted.body().encode() == request.message, "检查点正文有多余内容", "the checkpoint says more than that"
    )
    refuse_unless(
        wanted.origin == identity.origin,
        f"检查点属于 {wanted.origin}，本日志为 {identity.origin}",
        f"the checkpoint is of {wanted.origin}, this log is {identity.origin}",
    )
    tree = _grown(request.grounds or {}, state, wanted)
    refuse_unless(
        tree.root() == wanted.root,
        f"树根 {wanted.root.hex()} 与逐条复算的 {tree.root().hex()} 不符",
        f"root {wanted.root.hex()}, computed from what was signed before and its new leaves: {tree.root().hex()}",
    )
    return {
        "form": "checkpoint",
        "origin": wanted.origin,
        "size": wanted.size,
        "root": wanted.root.hex(),
        "range": [each.hex() for each in tree.hashes],
    }


def _grown(grounds: Mapping[str, Any], state: CheckState, wanted: Checkpoint) -> CompactRange:
    """The last signed tree with the leaves that were brought."""
    start, leaves = _brought(grounds)
    tree = _last_tree(state)
    if tree is None:
        tree = _first_tree(grounds, start)
    refuse_unless(
        wanted.size >= tree.size,
        f"要签 {wanted.size} 条，已签过 {tree.size} 条",
        f"a tree of {wanted.size} entries, but one of {tree.size} was signed before",
    )
    refuse_unless(
        start <= tree.size and start + len(leaves) == wanted.size,
        f"附上的是第 {start} 至 {start + len(leaves)} 条的散列，应为第 {tree.size} 至 {wanted.size} 条",
        f"leaf hashes {start} to {start + len(leaves)} came along, expected {tree.size} to {wanted.size}",
    )
    for each in leaves[tree.size - start :]:
        tree, _ = tree.append(each)
    return tree


def _brought(grounds: Mapping[str, Any]) -> tuple[int, Sequence[bytes]]:
    start, encoded = grounds.get("from"), grounds.get("leaves")
    if type(start) is not int or start < 0 or not isinstance(encoded, str):
        refuse("没有附上新增条目的散列", "the hashes of the leaves since the last checkpoint did not come along")
    try:
        joined = b64decode(encoded, validate=True)
    except ValueError:
        refuse("新增条目的散列不可读", "the leaf hashes cannot be read")
    refuse_unless(len(joined) % HASH_LENGTH == 0, "新增条目的散列长度不对", "the leaf hashes are not of 32 bytes each")
    return start, [joined[at : at + HASH_LENGTH] for at in range(0, len(joined), HASH_LENGTH)]


def _last_tree(state: CheckState) -> CompactRange | None:
    last = state.last("log")
    if last is None:
        return None
    hashes = last["range"]
    if not isinstance(hashes, Sequence) or not isinstance(last["size"], int):
        refuse("用钥记录中的检查点不可读", "the last checkpoint in the record of uses cannot be read")
    return CompactRange(size=last["size"], hashes=tuple(bytes.fromhex(str(each)) for each in hashes))


def _first_tree(grounds: Mapping[str, Any], start: int) -> CompactRange:
    """Where this process begins to watch: an empty log, or the tree that it is told of when its record is new."""
    if start == 0:
        return CompactRange()
    try:
        return CompactRange.from_bytes(start, b64decode(str(grounds.get("range")), validate=True))
    except ValueError:
        refuse("没有附上起始的树", "the tree to begin with did not come along")
