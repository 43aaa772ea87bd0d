"""The verdict: indications of EN 319 102-1 clause 5.1.3, and findings with stable codes in both languages."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from dataclasses import field as member
from enum import StrEnum
from typing import Any, Literal, Self

FORM = "yinxin/verdict/v1"

Severity = Literal["failure", "doubt", "warning", "note"]
"""``failure`` makes the verdict TOTAL_FAILED, ``doubt`` INDETERMINATE; the others leave it as it is."""


class Indication(StrEnum):
    """What can be said of a signature, or of a whole file (EN 319 102-1 table 5)."""

    TOTAL_PASSED = "TOTAL_PASSED"
    INDETERMINATE = "INDETERMINATE"
    TOTAL_FAILED = "TOTAL_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found; ``sub_indication`` is from EN 319 102-1 tables 6 and 7 where one fits."""

    code: str
    severity: Severity
    zh: str
    en: str
    sub_indication: str | None = None


def failure(code: str, zh: str, en: str, sub: str | None = None) -> Finding:
    """What makes the signature false."""
    return Finding(code=code, severity="failure", zh=zh, en=en, sub_indication=sub)


def doubt(code: str, zh: str, en: str, sub: str | None = None) -> Finding:
    """What keeps anyone from saying that the signature is good."""
    return Finding(code=code, severity="doubt", zh=zh, en=en, sub_indication=sub)


def warning(code: str, zh: str, en: str) -> Finding:
    """What a reader must know although the signature is good."""
    return Finding(code=code, severity="warning", zh=zh, en=en)


def note(code: str, zh: str, en: str) -> Finding:
    """What a reader may want to know."""
    return Finding(code=code, severity="note", zh=zh, en=en)


def indication_of(findings: tuple[Finding, ...]) -> Indication:
    """The worst of the findings decides; none at all means passed."""
    severities = {finding.severity for finding in findings}
    if "failure" in severities:
        return Indication.TOTAL_FAILED
    return Indication.INDETERMINATE if "doubt" in severities else Indication.TOTAL_PASSED


def sub_indication_of(findings: tuple[Finding, ...]) -> str | None:
    """The sub-indication of the first finding that is as bad as the whole and has one."""
    worst = "failure" if indication_of(findings) is Indication.TOTAL_FAILED else "doubt"
    subs = (finding.sub_indication for finding in findings if finding.severity == worst)
    return next((sub for sub in subs if sub), None)


Facts = Mapping[str, Any]
"""JSON members; absent facts are absent members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureVerdict:
    """One signature.

    ``kind`` is ``seal`` (certificate of this system), ``report`` (the service's own seal on a report),
    ``foreign`` or ``timestamp``; ``level`` is the PAdES level really reached; ``status`` the present state, from a log
    at hand; ``digests`` names what a log can be
    asked for: ``byte_range``, ``sealed`` (the bytes up to the end of its revision), ``to_be_signed``. The other members
    are facts, each with its own names, as ``docs/verify.md`` lists them.
    """

    field: str
    kind: Literal["seal", "report", "foreign", "timestamp"]
    findings: tuple[Finding, ...]
    level: str | None
    signer: Facts
    certificate: Facts
    ledger: Facts
    coverage: Facts
    time: Facts
    digests: Facts
    final: bool
    seal: Facts = member(default_factory=dict)
    agreement: Facts = member(default_factory=dict)
    item: Facts = member(default_factory=dict)
    approval: Facts = member(default_factory=dict)
    status: Facts = member(default_factory=dict)

    @property
    def indication(self) -> Indication:
        """The indication of this signature alone."""
        return indication_of(self.findings)

    @property
    def sub_indication(self) -> str | None:
        """Its sub-indication, if any."""
        return sub_indication_of(self.findings)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` gave; the indications follow from the findings again."""
        return cls(**{name: value[name] for name in _MEMBERS}, findings=_findings(value))

    def to_json(self) -> dict[str, Any]:
        """JSON members."""
        facts = {name: _plain(getattr(self, name)) for name in _MEMBERS}
        findings = [asdict(finding) for finding in self.findings]
        return {
            **facts,
            "findings": findings,
            "indication": str(self.indication),
            "sub_indication": self.sub_indication,
        }


_MEMBERS = tuple(each.name for each in fields(SignatureVerdict) if each.name != "findings")


def _findings(value: Mapping[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding(**each) for each in value["findings"])


def _plain(value: Any) -> Any:  # noqa: ANN401  a member of any JSON type
    return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What can be said of the file: its own findings and those of every signature."""

    file_digest: str
    file_length: int
    judged_at: str
    findings: tuple[Finding, ...]
    signatures: tuple[SignatureVerdict, ...]

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Those of the file, then those of its signatures in order."""
        return (*self.findings, *(finding for each in self.signatures for finding in each.findings))

    @property
    def indication(self) -> Indication:
        """The worst of the file and of all its signatures."""
        return indication_of(self.all_findings)

    @property
    def sub_indication(self) -> str | None:
        """The sub-indication that goes with it."""
        return sub_indication_of(self.all_findings)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` gave, e.g. by a worker. Raises ``KeyError`` and ``TypeError`` for anything else."""
        return cls(
            file_digest=value["file_digest"],
            file_length=value["file_length"],
            judged_at=value["judged_at"],
            findings=_findings(value),
            signatures=tuple(SignatureVerdict.from_json(each) for each in value["signatures"]),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON members; ``d`` names form and version."""
        return {
            "d": FORM,
            "indication": str(self.indication),
            "sub_indication": self.sub_indication,
            "file_digest": self.file_digest,
            "file_length": self.file_length,
            "judged_at": self.judged_at,
            "findings": [asdict(finding) for finding in self.findings],
            "signatures": [signature.to_json() for signature in self.signatures],
        }
