"""A verdict as a page for people: PDF/A-2b, Chinese or English, everything as data and nothing as markup."""

import json
import re
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typst

from registry.china_time import BEIJING
from signer.report_desk import drawable
from verify.report import Language, Section, changes_since, said, sections
from verify.report_words import SEVERITIES
from verify.verdict import Finding, Indication, Verdict

TEMPLATES: Final = Path(str(files("sealing") / "templates"))
_FONTS: Final = Path(str(files("signer") / "fonts"))
_LONGEST_NAME: Final = 120
_LONGEST: Final = 2_000
"""Characters of one text that a file brought; what is cut ends in an ellipsis."""
_MOST: Final = 200
"""Signatures, and findings of each, that are printed; the number of those left out is said."""
_UNBROKEN: Final = re.compile(r"[!-~]{29,}")
_TONES: Final = {
    Indication.TOTAL_PASSED: "passed",
    Indication.INDETERMINATE: "doubt",
    Indication.TOTAL_FAILED: "failed",
}
_SEVERITY_TONES: Final = {"failure": "failed", "doubt": "doubt", "warning": "doubt", "note": "passed"}
_CONCLUSIONS: Final = {
    Indication.TOTAL_PASSED: (
        "所问各项均有答案，没有发现不利情形；请同时阅读提醒和现状。",
        "Everything that was asked was answered, and nothing speaks against the file; read warnings and status too.",
    ),
    Indication.INDETERMINATE: (
        "缺少必要的材料或有不明之处，不能判定；存疑项写明缺什么。",
        "Something needed is missing or unclear; the doubts below say what.",
    ),
    Indication.TOTAL_FAILED: (
        "文件、签名或其证据不真实或被改动，不应采信。",
        "The file, a signature or its evidence is false or was changed; do not rely on it.",
    ),
}
_CHANGED: Final = (
    "印章当时真实有效，但后来有了变化：{}。不看清现状，不要依据这份文件办事。",
    "The seal was put rightly, but something changed since: {}. Do not rely on the file without minding that.",
)
_CAUTION_ZH: Final = (
    "本报告由印信服务加盖“核验专用章”（样章，签发者没有许可）。它证明服务在所列时间对所列摘要的文件作出了上述判定；"
    "“现状”只说明该时间。收到报告的人可以用同一文件重新核验。"
)
_CAUTION_EN: Final = (
    "Sealed with the verification seal of the service (a specimen: its authority holds no licence). It shows that "
    "the service judged the file with this digest so at this time; the present status is as of then. Whoever holds "
    "the file can have it judged again."
)
_WORDS: Final = {
    "title": ("电子印章核验报告", "Verification report"),
    "subtitle": ("依据 EN 319 102-1 作出；只说明文件，不代替原件", "By EN 319 102-1; about the file, not in its place"),
    "name": ("文件名", "File name"),
    "number": ("报告编号", "Report number"),
    "left_out": ("另有 {} 项未打印，见 JSON 报告", "{} more are not printed; see the JSON report"),
    "caution": (_CAUTION_ZH, _CAUTION_EN),
}


def typeset(verdict: Verdict, *, name: str, number: str, language: Language, now: datetime) -> bytes:
    """The report as PDF/A-2b, not sealed yet. ``name`` is that of the file judged, as its bearer called it."""
    content = _content(verdict, name=name, number=number, language=language)
    local = now.astimezone(BEIJING)
    date = {"year": local.year, "month": local.month, "day": local.day}
    pdf: bytes = typst.compile(
        str(TEMPLATES / "report.typ"),
        root=str(TEMPLATES),
        font_paths=fonts(),
        sys_inputs={"data": json.dumps(content | {"date": date}, ensure_ascii=False)},
        pdf_standards=["a-2b"],
    )
    # ISO 19005-2 6.1.9: what is appended later must begin on a new line.
    return pdf if pdf.endswith(b"\n") else pdf + b"\n"


@cache
def fonts() -> typst.Fonts:
    """The fonts that the service brings along, read once."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FONTS)])


def _content(verdict: Verdict, *, name: str, number: str, language: Language) -> dict[str, Any]:
    file, *signatures = sections(verdict, language)
    rows = [[_word("name", language), name[:_LONGEST_NAME]], *file.rows, [_word("number", language), number]]
    return {
        "lang": language,
        "title": _word("title", language),
        "subtitle": _word("subtitle", language),
        "word": file.word(language),
        "tone": "doubt" if file.changed else _TONES[verdict.indication],
        "indication": _indication(file),
        "conclusion": shown(_conclusion(verdict, language)),
        "changed": file.changed,
        "rows": [[label, shown(value)] for label, value in rows],
        "findings": _findings(file.findings, language),
        "signatures": [_signature(place, each, language) for place, each in enumerate(signatures[:_MOST], start=1)],
        "footer": f"{number}   {verdict.judged_at}   {shown(verdict.file_digest)}",
        "caution": _word("caution", language),
    }


def _conclusion(verdict: Verdict, language: Language) -> str:
    """What follows from the indication; of a file that passed and is no longer what it was, what became of it."""
    gone = changes_since(verdict, language)
    if gone and verdict.indication is Indication.TOTAL_PASSED:
        return _CHANGED[language == "en"].format("; ".join(gone))
    return _CONCLUSIONS[verdict.indication][language == "en"]


def _signature(place: int, section: Section, language: Language) -> dict[str, Any]:
    return {
        "title": f"{place}. {shown(section.title)}",
        "word": section.word(language),
        "tone": _TONES[section.indication],
        "indication": _indication(section),
        "rows": [[label, shown(value)] for label, value in section.rows],
        "findings": _findings(section.findings, language),
    }


def _indication(section: Section) -> str:
    sub = f" {section.sub_indication}" if section.sub_indication else ""
    return f"{section.indication}{sub}"


def _findings(findings: tuple[Finding, ...], language: Language) -> list[dict[str, Any]]:
    printed = [
        {
            "severity": SEVERITIES[each.severity][language == "en"],
            "tone": _SEVERITY_TONES[each.severity],
            "grave": each.severity in {"failure", "doubt"},
            "said": shown(said(each, language)),
            "code": shown(each.code),
        }
        for each in findings[:_MOST]
    ]
    left_out = len(findings) - len(printed)
    if left_out:
        words = _word("left_out", language).format(left_out)
        note = SEVERITIES["note"][language == "en"]
        printed.append({"severity": note, "tone": "doubt", "grave": True, "said": words, "code": ""})
    return printed


def shown(text: str) -> str:
    """``text`` as a page can show it: known glyphs, no control characters, long words with places to break."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return _UNBROKEN.sub(_breakable, drawable(short))


def _breakable(found: re.Match[str]) -> str:
    word = found[0]
    return "\N{ZERO WIDTH SPACE}".join(word[place : place + 8] for place in range(0, len(word), 8))


def _word(name: str, language: Language) -> str:
    return _WORDS[name][language == "en"]
