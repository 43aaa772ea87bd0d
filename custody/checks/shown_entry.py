"""Entries of the log that a caller shows: believed only under a checkpoint that this process signed itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from custody.checks.refusal import refuse, refuse_unless
from custody.requests import CheckState, UseRequest
from ledger.checkpoint import Checkpoint, LogIdentity, open_checkpoint, read_checkpoint
from ledger.entry import Leaf
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.signed_note import read_note


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEntry:
    """One entry, proven to be in the log, with the opened groups that came along."""

    index: int
    leaf: Leaf
    values: Mapping[str, Any]

    def group(self, name: str) -> Mapping[str, Any]:
        """An opened group. Refuses when it did not come along."""
        found = self.values.get(name)
        if not isinstance(found, Mapping):
            refuse(f"第 {self.index} 条没有打开字段组 {name}", f"entry {self.index} came without its group {name}")
        return found


def shown_entry(request: UseRequest, state: CheckState, name: str, *, kinds: Collection[str]) -> ShownEntry:
    """The entry that the grounds hold under ``name``, of one of ``kinds``. Refuses anything that is not proven."""
    value = (request.grounds or {}).get(name)
    refuse_unless(value is not None, f"没有附上台账证据 {name}", f"no evidence of the log came along as {name}")
    identity = log_identity(state)
    try:
        evidence = Evidence.from_json(value)
        checkpoint = _last_signed(evidence.checkpoint, identity, state) or open_checkpoint(
            evidence.checkpoint, identity
        )
        leaf = evidence.check_under(checkpoint)
    except LedgerError as error:
        refuse(f"台账证据 {name} 不成立：{error.zh}", f"the evidence {name} does not hold: {error.en}")
    refuse_unless(
        state.seen("log", "root", checkpoint.root.hex()),
        f"台账证据 {name} 所在的检查点（{checkpoint.size} 条）不是本进程签发的",
        f"the evidence {name} rests on a checkpoint of {checkpoint.size} entries that was not signed here",
    )
    refuse_unless(
        leaf.kind in kinds,
        f"台账证据 {name} 是 {leaf.kind}，应为 {'、'.join(kinds)}",
        f"the evidence {name} is of {leaf.kind}, expected {' or '.join(kinds)}",
    )
    values = {group: opening.value for group, opening in evidence.openings.items()}
    return ShownEntry(index=evidence.index, leaf=leaf, values=values)


def _last_signed(note: str, identity: LogIdentity, state: CheckState) -> Checkpoint | None:
    """What ``note`` says, if it is to the letter the last checkpoint in this process's own record, else None.

    The record says by itself that this tree is the log's, so the signature would add nothing and is not looked at.
    """
    last = state.last("log")
    if last is None:
        return None
    text = read_note(note).text
    found = read_checkpoint(text)
    recorded = (last.get("origin"), last.get("size"), last.get("root"))
    same = recorded == (found.origin, found.size, found.root.hex()) and found.origin == identity.origin
    return found if same and found.body() == text else None


def unused(intent: ShownEntry, request: UseRequest, state: CheckState) -> None:
    """Refuses an intent that a key of this purpose was used for before, or so old that this is not remembered."""
    forgotten = state.forgotten(request.purpose)
    refuse_unless(
        intent.index > forgotten,
        f"第 {intent.index} 条意向过旧：至第 {forgotten} 条的使用已不再逐条记忆",
        f"the intent of entry {intent.index} is too old: uses up to entry {forgotten} are not remembered one by one",
    )
    refuse_unless(
        not state.seen(request.purpose, "intent", intent.leaf.id),
        f"第 {intent.index} 条意向已用过一次",
        f"the intent of entry {intent.index} was used before; an intent is good for one use",
    )


def log_identity(state: CheckState) -> LogIdentity:
    """The log whose key is here. Refuses when there is none."""
    if state.log is None:
        refuse("本进程尚无台账密钥", "there is no log key here yet")
    return state.log
