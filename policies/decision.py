"""The answer of the rules: a list of findings, and whether all of them passed."""

from collections.abc import Callable
from dataclasses import dataclass

from policies.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule says: what was found and what was expected, in Chinese and English."""

    code: str
    passed: bool
    zh: str
    en: str
    source: str  # the clause, e.g. "[000 二(三)]", or "inference"


Rule = Callable[[Facts], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All findings of one rule-set version. Nothing checked means refused."""

    rule_set: str
    findings: tuple[Finding, ...]

    @property
    def allowed(self) -> bool:
        """Whether there is at least one finding and every one passed."""
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """The findings that did not pass, in the order of the rules."""
        return tuple(finding for finding in self.findings if not finding.passed)
