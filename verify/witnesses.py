"""Who besides the operator vouches for a checkpoint: witnesses by cosignatures, time-stamp authorities by tokens."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from authority.errors import TimeStampTokenError
from authority.timestamp_token import TimeStampToken, read_token
from ledger.cosignature import Cosignature, read_cosignatures
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.moments import to_text
from verify.times import CLOCKS_DIFFER, Proof
from verify.trust import Trust
from verify.verdict import Facts, Finding, note, warning

OPERATOR_ONLY = "operator_only"
Proven = tuple[Proof | None, tuple[Finding, ...]]
JudgeToken = Callable[[TimeStampToken], Proven]
"""What a sound token over a checkpoint proves, and what is to be said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What witnesses say of a checkpoint: facts ``witnessed`` and ``witnesses``, and the earliest time proven."""

    findings: tuple[Finding, ...]
    facts: Facts
    proofs: tuple[Proof, ...]


def judge_witnesses(evidence: Evidence, trust: Trust, *, now: datetime, judge_token: JudgeToken) -> Witnessed:
    """Cosignatures and time-stamps on the evidence's checkpoint, which covers its entry and is the log's own."""
    try:
        known = read_cosignatures(evidence.checkpoint, trust.witnesses)
    except LedgerError:  # the checkpoint itself was judged before
        known = ()
    found = _one_a_key(each for each in known if each.time <= now + CLOCKS_DIFFER)
    asked = len({each.public_key for each in trust.witnesses})
    stamped = [_stamped(each, evidence, judge_token) for each in evidence.tokens]
    told = f"witnessed {len(found)} of {asked}" if found else OPERATOR_ONLY
    return Witnessed(
        findings=(
            *_findings(found, asked),
            *(finding for _, findings in stamped for finding in findings),
        ),
        facts={
            "witnessed": told,
            "witnesses": [{"name": each.witness.name, "time": to_text(each.time)} for each in found],
        },
        proofs=(
            *(Proof(time=each.time, basis="witnessed") for each in found),
            *(proof for proof, _ in stamped if proof is not None),
        ),
    )


def _one_a_key(cosignatures: Iterable[Cosignature]) -> tuple[Cosignature, ...]:
    """The earliest cosignature of each key: one that is trusted under two names is one witness."""
    earliest: dict[bytes, Cosignature] = {}
    for each in sorted(cosignatures, key=lambda cosignature: cosignature.time):
        earliest.setdefault(each.witness.public_key, each)
    return tuple(earliest.values())


def _stamped(der: bytes, evidence: Evidence, judge_token: JudgeToken) -> Proven:
    """What a token beside the checkpoint proves. One that is false, or over something else, is told and left out."""
    try:
        token = read_token(der)
    except TimeStampTokenError as error:
        return None, (_token_left_out(error.zh, error.en),)
    if (token.algorithm, token.imprint) != ("sha256", evidence.stamped_digest()):
        return None, (_token_left_out("不是对此检查点作出的", "it is over something else"),)
    return judge_token(token)


def _token_left_out(zh: str, en: str) -> Finding:
    return warning(
        "checkpoint_token_unusable",
        f"检查点所附时间戳不可用：{zh}",
        f"a time-stamp on the checkpoint is not used: {en}",
    )


def _findings(found: tuple[Cosignature, ...], asked: int) -> Iterator[Finding]:
    if not found:
        yield note(
            OPERATOR_ONLY,
            "台账以运营方为凭，没有外部见证",
            "the ledger is the operator's word; no outside witness stands behind it",
        )
        return
    first = min(each.time for each in found)
    yield note(
        "witnessed",
        f"台账检查点有 {len(found)} 个见证方（共信任 {asked} 个）的见证，最早为 {to_text(first)}",
        f"{len(found)} of {asked} trusted witnesses cosigned the ledger's checkpoint, the first at {to_text(first)}",
    )
