"""A verdict in words for people: the same sections and rows for the text on a terminal and for the printed report.

What a file says of itself has lost its control characters.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from verify.key_history import history_of, shown, shown_end
from verify.report_words import (
    APPROVAL,
    BASIS,
    CHANGED,
    HELD,
    INDICATIONS,
    KINDS,
    REVOCATION,
    REVOKED,
    SOUND,
    STATUS,
    TIMES,
    UNKNOWN,
    WITNESSED,
    Words,
)
from verify.verdict import Facts, Finding, Indication, SignatureVerdict, Verdict

Language = Literal["zh", "en"]

_COSIGNED = re.compile(r"witnessed (\d+) of (\d+)")
MARKS = {"failure": "✗", "doubt": "?", "warning": "!", "note": "·"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The file, or one signature: what it is, what can be said of it, facts with their labels, findings."""

    title: str
    indication: Indication
    sub_indication: str | None
    rows: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    changed: bool = False
    """Whether it passed and something it stands for is no longer so."""

    def word(self, language: Language) -> str:
        """The indication in one word."""
        return _pick(CHANGED if self.changed else INDICATIONS[self.indication], language)


def sections(verdict: Verdict, language: Language) -> tuple[Section, ...]:
    """The file first, then each signature in the order of the file. Rows without a value are left out."""
    file = Section(
        title=_pick(("文件", "File"), language),
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        rows=(
            (_pick(("文件摘要", "File digest"), language), verdict.file_digest),
            (_pick(("文件长度", "File length"), language), f"{verdict.file_length} B"),
            (_pick(("核验时间", "Judged at"), language), verdict.judged_at),
        ),
        findings=verdict.findings,
        changed=changed_since(verdict),
    )
    return (file, *(_section(each, language) for each in verdict.signatures))


def changed_since(verdict: Verdict) -> bool:
    """Whether the file passed, but something it stands for is no longer so: that must be said as loudly."""
    return verdict.indication is Indication.TOTAL_PASSED and bool(changes_since(verdict, "en"))


def changes_since(verdict: Verdict, language: Language) -> tuple[str, ...]:
    """What of the present status is not as a reader would expect, each once; empty where nothing is known of it."""
    found = (each for signature in verdict.signatures for each in _changes(signature.status, language))
    return tuple(dict.fromkeys(found))


def _changes(status: Facts, language: Language) -> Iterator[str]:
    for name, sound in SOUND.items():
        if status.get(name, UNKNOWN) in {sound, UNKNOWN}:
            continue
        label, states = STATUS[name]
        since = _join(status, "document_since", "document_by") if name == "document" else ""
        yield f"{_pick(label, language)} {_look(states, status[name], language)}" + (f" ({since})" if since else "")


def lines(verdict: Verdict, language: Language) -> list[str]:
    """The report in one language: conclusion first, then each signature, then every finding."""
    return [clean(line) for line in _lines(verdict, language)]


def said(finding: Finding, language: Language) -> str:
    """The sentence of a finding."""
    return finding.zh if language == "zh" else finding.en


def clean(line: str) -> str:
    """``line`` without characters that change a terminal or the order of reading."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)


def _lines(verdict: Verdict, language: Language) -> Iterator[str]:
    file, *signatures = sections(verdict, language)
    sub = f" ({file.sub_indication})" if file.sub_indication else ""
    yield _say(language, _pick(("结论", "Verdict"), language), f"{file.word(language)} {file.indication}{sub}")
    yield from _body(file, language, rows="", findings="  ")
    for number, section in enumerate(signatures, start=1):
        yield ""
        yield f"{number}. {section.title}: {section.word(language)} {section.indication}"
        yield from _body(section, language, rows="   ", findings="   ")


def _body(section: Section, language: Language, *, rows: str, findings: str) -> Iterator[str]:
    for label, value in section.rows:
        yield rows + _say(language, label, value)
    for finding in section.findings:
        yield f"{findings}{MARKS[finding.severity]} {finding.code}: {said(finding, language)}"


def _section(signature: SignatureVerdict, language: Language) -> Section:
    rows = ((_pick(label, language), value) for label, value in _rows(signature, language))
    return Section(
        title=f"{_look(KINDS, signature.kind, language)} {signature.field}",
        indication=signature.indication,
        sub_indication=signature.sub_indication,
        rows=tuple((label, value) for label, value in rows if value),
        findings=signature.findings,
    )


def _rows(signature: SignatureVerdict, language: Language) -> Iterator[tuple[Words, str]]:
    seal, agreement, item, ledger = signature.seal, signature.agreement, signature.item, signature.ledger
    yield ("签章单位", "Signed by"), _join(signature.signer, "organisation", "common_name")
    yield ("印章", "Seal"), _join(seal, "name") + (_specimen(language) if seal.get("specimen") else "")
    yield ("协议", "Agreement"), _join(agreement, "number", "version")
    yield ("承接单位", "Grantee"), _join(agreement, "grantee_name", "grantee_code")
    yield ("事项", "Item"), _join(item, "item", "item_name")
    yield ("办件编号", "Case"), _join(item, "case_number")
    yield ("文书编号", "Document number"), _join(item, "document_number", "licence_number")
    yield ("批准", "Approval"), _approval(signature, language)
    yield ("时间", "Time"), _time(signature, language)
    yield ("格式", "Level"), signature.level or ""
    yield ("证书", "Certificate"), _certificate(signature, language)
    yield ("台账", "Ledger"), _join(ledger, "log", "entry", "impression", "state")
    yield ("见证", "Witnesses"), _witnessed(ledger, language)
    yield ("其后追加", "Added since"), _added(signature.coverage, language)
    yield from _present(getattr(signature, "status", {}), language)


def _approval(signature: SignatureVerdict, language: Language) -> str:
    if not signature.approval:
        return ""
    strength = _look(APPROVAL, signature.approval.get("assurance"), language)
    return f"{strength} ({_join(signature.approval, 'principal_name', 'statement')})"


def _time(signature: SignatureVerdict, language: Language) -> str:
    times = "; ".join(
        f"{_pick(label, language)} {signature.time[name]}" for name, label in TIMES.items() if signature.time.get(name)
    )
    return f"{times}; {_look(BASIS, signature.time.get('basis'), language)}"


def _certificate(signature: SignatureVerdict, language: Language) -> str:
    revocation = signature.certificate.get("revocation", {}).get("signer")
    said_of = _look(REVOCATION, revocation, language)
    return f"{_join(signature.certificate, 'serial', 'not_before', 'not_after', 'root')}, {said_of}"


def _witnessed(ledger: Facts, language: Language) -> str:
    witnessed = ledger.get("witnessed")
    if witnessed is None:
        return ""
    counted = _COSIGNED.fullmatch(str(witnessed))
    if counted is None:
        return _look(WITNESSED, witnessed, language)
    return _pick((f"{counted[2]} 名见证人中 {counted[1]} 名联署", f"{counted[1]} of {counted[2]} witnesses"), language)


def _added(coverage: Facts, language: Language) -> str:
    length = coverage.get("later_bytes") or 0
    if coverage.get("whole_file", True) or not length:
        return _pick(("没有", "nothing"), language)
    return _pick((f"{length} 字节", f"{length} bytes"), language)


def _present(status: Facts, language: Language) -> Iterator[tuple[Words, str]]:
    """What became of it by now; only the issuing installation can tell."""
    if not status:
        return
    words = [
        f"{_pick(label, language)} {_look(states, status[name], language)}"
        for name, (label, states) in STATUS.items()
        if name in status
    ]
    since = _join(status, "document_since", "document_by")
    yield ("现状", "Present status"), "; ".join([*words, *([since] if since else [])])
    yield ("现状时间", "Status as of"), _join(status, "as_of")
    history, _ = history_of(status)
    yield HELD, "; ".join(_pick(shown(each), language) for each in history.holds)
    yield REVOKED, "" if history.ended is None else _pick(shown_end(history.ended), language)


def _specimen(language: Language) -> str:
    return _pick(("（样章）", " (specimen)"), language)


def _look(table: Mapping[str, Words], key: Any, language: Language) -> str:  # noqa: ANN401  JSON member
    """The words for ``key``; what this version has no words for is shown as it is."""
    found = table.get(str(key))
    return str(key) if found is None else _pick(found, language)


def _pick(words: Words, language: Language) -> str:
    return words[language == "en"]


def _say(language: Language, label: str, value: str) -> str:
    return f"{label}：{value}" if language == "zh" else f"{label}: {value}"


def _join(facts: Facts, *names: str) -> str:
    return ", ".join(str(facts[name]) for name in names if facts.get(name) is not None)
