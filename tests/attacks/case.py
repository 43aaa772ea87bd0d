"""One line of the attack table, and how it is judged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from attacks.base import NOW, Base, Sealed

from verify.bounded import Limits, judge_bounded
from verify.judge import judge
from verify.trust import Trust
from verify.verdict import Indication, Verdict

FAILED, UNCLEAR, PASSED = "TOTAL_FAILED", "INDETERMINATE", "TOTAL_PASSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``codes``: one of these findings must name it. ``of``: the sealed file whose receipt is shown, if any."""

    family: str
    name: str
    make: Callable[[Base], bytes]
    codes: tuple[str, ...]
    expected: str = FAILED
    of: str | None = "final"
    trust: Callable[[Base], Trust] = field(default=lambda base: base.trust)
    now: datetime = NOW
    bounded: bool = False

    @property
    def file_name(self) -> str:
        return f"{self.family}--{self.name}.pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on a case, and whether it is the expected one with an expected finding."""

    indication: str
    against: tuple[str, ...]
    sentences: tuple[str, ...]
    as_expected: bool


def judged(base: Base, case: Case, data: bytes) -> Outcome:
    """Judge the file of one case."""
    path = base.folder / case.file_name
    path.write_bytes(data)
    sealed: Sealed | None = base[case.of] if case.of else None
    receipts = [] if sealed is None else [sealed.receipt, *sealed.earlier]
    given: dict[str, Any] = {"trust": case.trust(base), "now": case.now}
    if case.bounded:
        verdict = judge_bounded(path, receipts, limits=Limits(seconds=8), **given)
    else:
        verdict = judge(path, receipt=next(iter(receipts), None), further_receipts=receipts[1:], **given)
    path.unlink()
    return _outcome(case, verdict)


def _outcome(case: Case, verdict: Verdict) -> Outcome:
    against = [each for each in verdict.all_findings if each.severity in {"failure", "doubt"}]
    codes = tuple(dict.fromkeys(each.code for each in against))
    named = bool(set(codes) & set(case.codes)) if case.codes else True
    refused = verdict.indication is not Indication.TOTAL_PASSED
    wanted = case.expected == PASSED or refused
    return Outcome(
        indication=str(verdict.indication),
        against=codes,
        sentences=tuple(each.en for each in against),
        as_expected=str(verdict.indication) == case.expected and named and wanted,
    )


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)
