"""A verdict as plain text for people, line by line. What a file says of itself has lost its control characters."""

from collections.abc import Iterator
from typing import Any, Literal

from verify.verdict import Finding, Indication, SignatureVerdict, Verdict

Language = Literal["zh", "en"]

_WORDS: dict[Indication, tuple[str, str]] = {
    Indication.TOTAL_PASSED: ("通过", "PASSED"),
    Indication.INDETERMINATE: ("无法判定", "CANNOT TELL"),
    Indication.TOTAL_FAILED: ("不通过", "FAILED"),
}
_MARKS = {"failure": "✗", "doubt": "?", "warning": "!", "note": "·"}
_KINDS = {
    "seal": ("2号章", "No. 2 seal"),
    "foreign": ("其他签名", "other signature"),
    "timestamp": ("时间戳", "time-stamp"),
}
_STRENGTH = {
    "person_signed": ("负责人本人密钥签名", "signed with the principal's own key"),
    "system_attested": ("审批系统担保", "vouched for by the approval system"),
}
_REVOCATION = {
    "good": ("未吊销", "not revoked"),
    "revoked": ("已吊销", "revoked"),
    "stale": ("吊销列表过期", "revocation list out of date"),
    "not_checked": ("未核对吊销", "revocation not checked"),
}


def lines(verdict: Verdict, language: Language) -> list[str]:
    """The report in one language: conclusion first, then each signature, then every finding."""
    return [_clean(line) for line in _lines(verdict, language)]


def _lines(verdict: Verdict, language: Language) -> Iterator[str]:
    sub = f" ({verdict.sub_indication})" if verdict.sub_indication else ""
    yield _say(language, "结论", "Verdict", f"{_word(verdict.indication, language)} {verdict.indication}{sub}")
    yield _say(language, "文件", "File", f"{verdict.file_digest}, {verdict.file_length} B")
    yield _say(language, "核验时间", "Judged at", verdict.judged_at)
    yield from _findings(verdict.findings, language, "  ")
    for number, signature in enumerate(verdict.signatures, start=1):
        yield ""
        yield from _signature(number, signature, language)


def _signature(number: int, signature: SignatureVerdict, language: Language) -> Iterator[str]:
    kind = _KINDS[signature.kind][language == "en"]
    yield f"{number}. {kind} {signature.field}: {_word(signature.indication, language)} {signature.indication}"
    for zh, en, value in _rows(signature, language):
        if value:
            yield "   " + _say(language, zh, en, value)
    yield from _findings(signature.findings, language, "   ")


def _rows(signature: SignatureVerdict, language: Language) -> Iterator[tuple[str, str, str]]:
    seal, agreement, item, ledger = signature.seal, signature.agreement, signature.item, signature.ledger
    yield "签章单位", "Signed by", _join(signature.signer, "organisation", "common_name")
    yield "印章", "Seal", _join(seal, "name") + (_specimen(language) if seal.get("specimen") else "")
    yield "协议", "Agreement", _join(agreement, "number", "version")
    yield "承接单位", "Grantee", _join(agreement, "grantee_name", "grantee_code")
    yield "事项", "Item", _join(item, "item", "item_name")
    yield "办件编号", "Case", _join(item, "case_number")
    yield "文书编号", "Document number", _join(item, "document_number", "licence_number")
    yield "批准", "Approval", _approval(signature, language)
    yield "证书", "Certificate", _certificate(signature, language)
    yield "台账", "Ledger", _join(ledger, "log", "entry", "impression", "state")
    yield "时间", "Time", _join(signature.time, "ledger", "claimed", "basis")
    yield "格式", "Level", signature.level or ""


def _approval(signature: SignatureVerdict, language: Language) -> str:
    if not signature.approval:
        return ""
    strength = _STRENGTH[signature.approval["assurance"]][language == "en"]
    return f"{strength} ({_join(signature.approval, 'principal_name', 'statement')})"


def _certificate(signature: SignatureVerdict, language: Language) -> str:
    revocation = _REVOCATION[signature.certificate["revocation"]["signer"]][language == "en"]
    return f"{_join(signature.certificate, 'serial', 'not_before', 'not_after', 'root')}, {revocation}"


def _specimen(language: Language) -> str:
    return "（样章）" if language == "zh" else " (specimen)"


def _findings(findings: tuple[Finding, ...], language: Language, indent: str) -> Iterator[str]:
    for finding in findings:
        yield f"{indent}{_MARKS[finding.severity]} {finding.code}: {finding.zh if language == 'zh' else finding.en}"


def _word(indication: Indication, language: Language) -> str:
    return _WORDS[indication][language == "en"]


def _say(language: Language, zh: str, en: str, value: str) -> str:
    return f"{zh}：{value}" if language == "zh" else f"{en}: {value}"


def _join(facts: Any, *names: str) -> str:  # noqa: ANN401  JSON members
    return ", ".join(str(facts[name]) for name in names if facts.get(name) is not None)


def _clean(line: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in line)
