"""What the page about a verdict shows: conclusion, status, each signature in words, the rest folded."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from verify.verdict import Finding, Indication, SignatureVerdict, Verdict
from web.moments import moment
from web.present import alerts, history, states
from web.reading import Language
from web.words import Words

Row = tuple[str, str]
"""A label and what stands beside it."""
_PDF_TIME: Final = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z|([+-]\d\d)'?(\d\d)?)?")
_ORDER: Final = ("failure", "doubt", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding: how grave, its sentence, its stable code."""

    severity: str
    sentence: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureView:
    """One signature; ``technical`` is what experts ask for."""

    title: str
    owner: str
    indication: Indication
    specimen: bool
    rows: tuple[Row, ...]
    findings: tuple[FindingView, ...]
    technical: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """The whole page; ``reasons`` are the findings that decided."""

    indication: Indication
    sub_indication: str | None
    name: str
    judged_at: str
    alerts: tuple[Row, ...]
    reasons: tuple[FindingView, ...]
    findings: tuple[FindingView, ...]
    signatures: tuple[SignatureView, ...]
    technical: tuple[Row, ...]

    @property
    def changed(self) -> bool:
        """Whether the seal is genuine and something that it stood for is no longer so."""
        return self.indication is Indication.TOTAL_PASSED and bool(self.alerts)


def verdict_view(verdict: Verdict, language: Language, *, name: str) -> VerdictView:
    """The page about ``verdict`` on the file called ``name``."""
    words = Words(language)
    deciding = {Indication.TOTAL_FAILED: "failure", Indication.INDETERMINATE: "doubt"}.get(verdict.indication)
    changed = [row for each in verdict.signatures for row in alerts(each.status, words)]
    return VerdictView(
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        name=name or words("no_name"),
        judged_at=moment(verdict.judged_at, language),
        alerts=tuple(dict.fromkeys(changed)),
        reasons=_findings((each for each in verdict.all_findings if each.severity == deciding), language),
        findings=_findings(verdict.findings, language),
        signatures=tuple(_signature(each, number, language) for number, each in enumerate(verdict.signatures, 1)),
        technical=(("sha-256", verdict.file_digest.removeprefix("sha256:")), ("bytes", str(verdict.file_length))),
    )


def _findings(found: Iterable[Finding], language: Language) -> tuple[FindingView, ...]:
    ordered = sorted(found, key=lambda each: _ORDER.index(each.severity))
    return tuple(
        dict.fromkeys(
            FindingView(severity=each.severity, code=each.code, sentence=each.en if language == "en" else each.zh)
            for each in ordered
        )
    )


def _signature(signature: SignatureVerdict, number: int, language: Language) -> SignatureView:
    words = Words(language)
    kind = {"seal": "seal_number", "report": "report_number", "timestamp": "timestamp_number"}.get(
        signature.kind, "signature_number"
    )
    return SignatureView(
        title=words(kind, number=number),
        owner=_owner(signature),
        indication=signature.indication,
        specimen=bool(signature.seal.get("specimen")),
        rows=tuple(row for row in _rows(signature, words, language) if row[1]),
        findings=_findings(signature.findings, language),
        technical=tuple(_technical(signature)),
    )


def _owner(signature: SignatureVerdict) -> str:
    told = signature.seal.get("name") or signature.signer.get("common_name") or signature.signer.get("organisation")
    return str(told or signature.field)


def _rows(signature: SignatureVerdict, words: Words, language: Language) -> Iterator[Row]:
    agreement, item, time = signature.agreement, signature.item, signature.time
    yield words("by" if signature.kind == "seal" else "signed_by"), _text(signature.signer, "organisation")
    yield words("seal"), _text(signature.seal, "name")
    yield words("grantee"), _text(agreement, "grantee_name")
    if agreement.get("number"):
        version = agreement.get("version", "")
        yield words("agreement"), words("agreement_version", number=agreement["number"], version=version)
    yield words("item"), _text(item, "item_name")
    yield words("document_kind"), words.of("kind", item["document_kind"]) if item.get("document_kind") else ""
    for name in ("document_number", "licence_number", "case_number"):
        yield words(name), _text(item, name)
    yield words("stated"), _facts(item.get("facts"))
    yield words("approval"), words.of("approval", signature.approval.get("assurance") or "")
    yield words("claimed_when" if time.get("basis") == "claimed_only" else "when"), _sealed_at(signature, language)
    yield words("rests_on"), _rests_on(time, words, language)
    yield from states(signature.status, words)
    yield from history(signature.status, words, language)
    later = signature.coverage.get("later_bytes")
    yield words("later"), words("later_bytes", count=later) if later else ""


def _sealed_at(signature: SignatureVerdict, language: Language) -> str:
    time = signature.time
    told = time.get("ledger") or time.get("claimed")
    return moment(_iso(str(told)), language) if told else ""


def _rests_on(time: Mapping[str, Any], words: Words, language: Language) -> str:
    basis, proven = words.of("basis", time.get("basis") or ""), time.get("proven")
    return words("not_later", basis=basis, time=moment(str(proven), language)) if proven else basis


def _iso(time: str) -> str:
    """``D:20261102010000+08'00'`` of a PDF as RFC 3339; anything else as it is (ISO 32000-2 7.9.4)."""
    found = _PDF_TIME.match(time)
    if found is None:
        return time
    year, month, day, hour, minute, second, zone, minutes = found.groups()
    place = f"{zone}:{minutes or '00'}" if zone else "+00:00"
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}{place}"


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return "" if value is None else str(value)


def _facts(facts: object) -> str:
    if not isinstance(facts, Mapping):
        return ""
    return "；".join(f"{name}：{value}" for name, value in facts.items())


def _technical(signature: SignatureVerdict) -> Iterator[Row]:
    yield "field", signature.field
    yield "indication", " ".join(filter(None, (str(signature.indication), signature.sub_indication)))
    yield "level", signature.level or "–"
    for name in ("certificate", "ledger", "time", "coverage", "digests", "approval"):
        yield from _flat(name, getattr(signature, name))


def _flat(name: str, value: object) -> Iterator[Row]:
    """Nested members as dotted names, so that nothing a verdict holds is left out."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, list | tuple):
        yield name, ", ".join(map(str, value))
    elif value is not None:
        yield name, str(value)
