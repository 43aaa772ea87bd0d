"""Whether the log that the certificate names knows this signature, and as what."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from authority.binding import SealBinding
from ledger.checkpoint import Checkpoint, LogIdentity
from ledger.entry import Leaf
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.moments import to_text
from verify.receipt import Receipt
from verify.times import Proof
from verify.trust import Trust, log_key_hash
from verify.verdict import Facts, Finding, doubt, failure, note, warning
from verify.witnesses import JudgeToken, Witnessed, judge_witnesses

IMPRESSED = "seal.impressed"
ABANDONED = "seal.abandoned"
_NEEDED = ("document", "seal")
_USEFUL = ("application", "case", "numbers", "persons", "decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a log can be asked for: digests (``sha256:…``) that its entries hold, and what the file is like."""

    byte_range_digest: str
    sealed_digest: str
    sealed_length: int
    to_be_signed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer:
    """What a log at hand says of a trace; ``receipt`` and the present ``status`` may come with ``found``."""

    state: Literal["found", "absent", "abandoned"]
    receipt: Receipt | None = None
    status: Facts | None = None


AskLog = Callable[[Trace], LogAnswer | None]
"""None when the log could not be asked. Only asked about seals whose certificate names one of the trusted logs."""
AskWitnesses = Callable[[Evidence], Witnessed]
HashPrefix = Callable[[int], str]
"""``sha256:…`` of so many bytes from the start of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBytesHashed:
    """The file as the record can be compared with it: its length, and the digest of its first bytes."""

    length: int
    hash_prefix: HashPrefix


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerJudgement:
    """Findings, and what the openings say; ``sealed_at`` only when the entry was proven to be in the log.

    ``proofs`` are what witnesses prove of the time, ``status`` is what a log at hand says of the present.
    """

    findings: tuple[Finding, ...]
    facts: Facts
    openings: Mapping[str, Any]
    sealed_at: datetime | None
    proofs: tuple[Proof, ...] = ()
    status: Facts = field(default_factory=dict)


def opened(receipt: Receipt) -> dict[str, Any]:
    """The values of the openings by group, believed by nobody yet."""
    return {group: opening.value for group, opening in receipt.evidence.openings.items()}


def named(receipt: Receipt) -> set[str]:
    """The digests by which the receipt claims to be about a signature."""
    openings = opened(receipt)
    places = (("document", "byte_range_digest"), ("document", "sealed_digest"), ("application", "to_be_signed"))
    return {text for group, name in places if (text := _text(openings, group, name)) is not None}


def judge_ledger(
    trace: Trace,
    receipts: Sequence[Receipt],
    *,
    binding: SealBinding,
    trust: Trust,
    file: FileBytesHashed,
    ask_log: AskLog | None,
    now: datetime,
    judge_token: JudgeToken,
) -> LedgerJudgement:
    """Judge the receipt that is about this signature, or ask the log at hand, or say that neither was there."""
    own = {trace.byte_range_digest, trace.sealed_digest, trace.to_be_signed}
    receipt = next((each for each in receipts if named(each) & own), None)
    # What our log does not know, another authority's may: only the log that the certificate names can say "absent".
    answer = ask_log(trace) if ask_log and _log_of(binding, trust) else None
    if answer is not None and answer.state != "found":
        return _only(_ABSENT if answer.state == "absent" else _ABANDONED, {"state": answer.state})
    receipt = receipt or (answer.receipt if answer else None)
    status = (answer.status if answer else None) or {}
    if receipt is not None:
        witnessed = partial(judge_witnesses, trust=trust, now=now, judge_token=judge_token)
        found = _judge_receipt(receipt, trace, binding=binding, trust=trust, file=file, witnessed=witnessed)
        return replace(found, status=status)
    if answer is not None:
        return replace(_only(_ONLY_SAID, {"state": "found"}), status=status)
    return _only(_MISSING, {"state": "not_asked"})


def _judge_receipt(
    receipt: Receipt,
    trace: Trace,
    *,
    binding: SealBinding,
    trust: Trust,
    file: FileBytesHashed,
    witnessed: AskWitnesses,
) -> LedgerJudgement:
    identity = _log_of(binding, trust)
    if identity is None:
        return _only(_not_trusted(binding), {"state": "not_judged", "log": binding.log_origin})
    try:
        leaf, checkpoint = receipt.evidence.check(identity)
    except LedgerError as error:
        invalid = failure("ledger_evidence_invalid", f"台账证据无效：{error.zh}", f"the ledger evidence: {error.en}")
        return _only(invalid, {"state": "invalid", "log": identity.origin})
    openings = opened(receipt)
    outside = witnessed(receipt.evidence)
    findings = (
        *_kind(leaf),
        *_same_impression(receipt, leaf),
        *_same_file(openings, trace, file),
        *_same_seal(openings, binding),
        *_allowed(openings),
        *_groups(leaf, openings),
        *outside.findings,
    )
    facts = {**_facts(receipt, leaf, checkpoint, identity), **outside.facts}
    return LedgerJudgement(
        findings=findings, facts=facts, openings=openings, sealed_at=leaf.time, proofs=outside.proofs
    )


def _log_of(binding: SealBinding, trust: Trust) -> LogIdentity | None:
    named = (binding.log_origin, binding.log_key_hash)
    return next((log for log in trust.logs if (log.origin, log_key_hash(log)) == named), None)


def _kind(leaf: Leaf) -> Iterator[Finding]:
    if leaf.kind == ABANDONED:
        yield _ABANDONED
    elif leaf.kind != IMPRESSED:
        yield failure(
            "entry_not_an_impression",
            f"台账条目的类型是 {leaf.kind}，应为 {IMPRESSED}",
            f"the entry is of the kind {leaf.kind}, {IMPRESSED} expected",
        )


def _same_impression(receipt: Receipt, leaf: Leaf) -> Iterator[Finding]:
    if leaf.kind == IMPRESSED and receipt.impression not in leaf.subjects[:1]:
        yield failure(
            "ledger_evidence_invalid",
            "回执的用章编号不是条目所记的编号",
            "the receipt names another impression than its entry",
        )


def _same_file(openings: Mapping[str, Any], trace: Trace, file: FileBytesHashed) -> Iterator[Finding]:
    """The file that was delivered is this one, or the beginning of it: later revisions are judged as changes."""
    document = openings.get("document")
    if not isinstance(document, dict):
        return
    source, delivered = document.get("source_length"), document.get("sealed_length")
    if not isinstance(source, int) or not 0 < source < trace.sealed_length:
        yield _other_file("source_length")
        return
    if not isinstance(delivered, int) or delivered < trace.sealed_length:
        yield _other_file("sealed_length")
        return
    here = {"byte_range_digest": trace.byte_range_digest, "source_digest": file.hash_prefix(source)}
    if delivered <= file.length:
        here["sealed_digest"] = file.hash_prefix(delivered)
    different = [name for name, value in here.items() if document.get(name) != value]
    if different:
        yield _other_file(", ".join(different))
    elif delivered > file.length:
        yield failure(
            "delivered_part_missing",
            f"交付的文件长 {delivered} 字节，本文件只有 {file.length} 字节：签名之后的部分（如存档时间戳）已丢失",
            f"the delivered file has {delivered} bytes, this one {file.length}: what stood behind the signature, such"
            " as an archive time-stamp, is lost",
        )


def _same_seal(openings: Mapping[str, Any], binding: SealBinding) -> Iterator[Finding]:
    seal = openings.get("seal")
    if not isinstance(seal, dict):
        return
    names = (
        "agreement",
        "agreement_version",
        "terms_digest",
        "grantor_code",
        "grantee_code",
        "seal_name",
        "seal_number",
    )
    different = [name for name in names if seal.get(name) != getattr(binding, name)]
    if different:
        listed = ", ".join(different)
        yield failure(
            "seal_differs_from_certificate",
            f"台账所记印章、协议与证书不符：{listed}",
            f"the entry is about another seal or agreement than the certificate: {listed}",
        )


def _allowed(openings: Mapping[str, Any]) -> Iterator[Finding]:
    decision = openings.get("decision")
    if isinstance(decision, dict) and decision.get("allowed") is not True:
        yield failure("use_was_not_allowed", "台账所记的判定不是准许", "the recorded decision did not allow the use")


def _groups(leaf: Leaf, openings: Mapping[str, Any]) -> Iterator[Finding]:
    if leaf.kind != IMPRESSED:
        return
    for group in _NEEDED:
        if not isinstance(openings.get(group), dict):
            yield doubt(
                "opening_missing",
                f"回执缺少字段组 {group}，无法核对",
                f"the receipt holds no group {group}, so it cannot be compared",
            )
    absent = [group for group in _USEFUL if group not in openings]
    if absent:
        listed = ", ".join(absent)
        yield warning(
            "opening_absent",
            f"回执未含字段组 {listed}（可能已依保存期限删除）",
            f"the receipt holds no group {listed} (perhaps erased under a retention rule)",
        )


def _facts(receipt: Receipt, leaf: Leaf, checkpoint: Checkpoint, identity: LogIdentity) -> Facts:
    return {
        "state": "proven" if leaf.kind == IMPRESSED else "other_entry",
        "log": identity.origin,
        "log_key_hash": log_key_hash(identity),
        "impression": receipt.impression,
        "entry": receipt.evidence.index,
        "kind": leaf.kind,
        "time": to_text(leaf.time),
        "checkpoint_size": checkpoint.size,
    }


def _text(openings: Mapping[str, Any], group: str, name: str) -> str | None:
    values = openings.get(group)
    found = values.get(name) if isinstance(values, dict) else None
    return found if isinstance(found, str) else None


def _only(finding: Finding, facts: Facts) -> LedgerJudgement:
    return LedgerJudgement(findings=(finding,), facts=facts, openings={}, sealed_at=None)


def _other_file(different: str) -> Finding:
    return failure(
        "receipt_of_another_file",
        f"回执所记的文件与本文件不符：{different}",
        f"the receipt is about another file; different: {different}",
    )


def _not_trusted(binding: SealBinding) -> Finding:
    return doubt(
        "log_not_trusted",
        f"证书指定的账本 {binding.log_origin}（{binding.log_key_hash}）不在受信任的账本之中",
        f"the log {binding.log_origin} ({binding.log_key_hash}), which the certificate names, is no trusted one",
    )


def unmatched_receipt() -> Finding:
    """A receipt that is about no signature of the file."""
    return _other_file("byte_range_digest")


_MISSING = doubt(
    "ledger_evidence_missing",
    "没有回执，也未查询台账，无法确认这次用章有据可查",
    "no receipt was given and no log was asked, so nothing shows that this seal use is on record",
)
_ABSENT = failure("not_in_ledger", "台账中没有这次用章", "the log does not know this seal use")
_ABANDONED = failure(
    "attempt_abandoned",
    "台账载明这次签名已被放弃，不得作为用章",
    "by the log this signature was abandoned and does not count as a seal use",
)
_ONLY_SAID = note(
    "log_was_asked",
    "台账确认有这次用章（未出示证明）",
    "the log at hand says that it knows this seal use (no proof was shown)",
)
