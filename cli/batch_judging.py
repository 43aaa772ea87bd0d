"""Many PDFs judged in one go: progress beside the result, one line or row a file, and the worst answer as exit code."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import console
from cli.exit_codes import CANNOT_TELL, DONE, REFUSED

if TYPE_CHECKING:
    from sandbox.pool import Pool
    from verify.bounded import Limits
    from verify.trust import Trust
    from verify.verdict import Verdict

EXITS = {"TOTAL_PASSED": DONE, "TOTAL_FAILED": REFUSED, "INDETERMINATE": CANNOT_TELL}
_WORDS = {
    "TOTAL_PASSED": "通过 / passed",
    "TOTAL_FAILED": "不通过 / failed",
    "INDETERMINATE": "无法判定 / cannot tell",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How every file of a batch is judged."""

    trust: "Trust"
    now: datetime
    limits: "Limits"


def files_in(given: Sequence[Path]) -> list[Path]:
    """The files that were named, and the PDFs of the folders that were, in the order of their names."""
    found = (sorted(_pdfs(each)) if each.is_dir() else [each] for each in given)
    return list(dict.fromkeys(path for paths in found for path in paths))


def _pdfs(folder: Path) -> Iterator[Path]:
    return (each for each in folder.rglob("*") if each.suffix.lower() == ".pdf" and not each.is_dir())


def judge_batch(paths: Sequence[Path], judging: Judging, *, as_json: bool) -> int:
    """Judge ``paths``, each with the receipt beside it, and tell; the exit code is that of the worst.

    A file that cannot be read cannot be told, and does not keep the others from being judged.
    """
    from verify.bounded import pool_for  # noqa: PLC0415  only where files are judged

    rows, exits = [], set[int]()
    with pool_for(paths, judging.limits) as pool:
        for number, path in enumerate(paths, start=1):
            console.tell(f"[{number}/{len(paths)}] {path}")
            found = _judge(pool, path, judging)
            exits.add(found.exit)
            if as_json:
                console.say(json.dumps({"file": str(path), **found.told}, ensure_ascii=False))
            else:
                rows.append((path, *found.row))
    if not as_json:
        console.show_table(("文件 / file", "结论 / verdict", "印章 / seals", "首要原因 / first reason"), rows)
    return next((code for code in (REFUSED, CANNOT_TELL) if code in exits), DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is told of one file: as exit code, as JSON, as a row."""

    exit: int
    told: dict[str, Any]
    row: tuple[str, str, str]


def _judge(pool: "Pool", path: Path, judging: Judging) -> _Found:
    try:
        verdict = _verdict(pool, path, judging)
    except OSError as error:
        reason = {
            "code": "file-unreadable",
            "zh": f"无法读取：{error.strerror}",
            "en": f"cannot be read: {error.strerror}",
        }
        row = (_WORDS["INDETERMINATE"], "", f"{reason['code']}: {reason['zh']}")
        return _Found(exit=CANNOT_TELL, told={"error": reason}, row=row)
    answer = str(verdict.indication)
    row = (_WORDS[answer], _seals(verdict), _first_reason(verdict))
    return _Found(exit=EXITS[answer], told={"verdict": verdict.to_json()}, row=row)


def _verdict(pool: "Pool", path: Path, judging: Judging) -> "Verdict":
    from verify.bounded import failed, judge_in, told  # noqa: PLC0415  as above
    from verify.receipt import Receipt, ReceiptError  # noqa: PLC0415  as above

    try:
        receipts = [Receipt.from_bytes(each.read_bytes()) for each in receipts_beside(path)]
    except ReceiptError as error:
        return told(path, judging.now, failed(error.code, error.zh, error.en))
    return judge_in(pool, path, receipts, trust=judging.trust, now=judging.now)


def receipts_beside(path: Path) -> list[Path]:
    """``NAME.receipt.json`` beside ``NAME.pdf``; ``NAME.1.receipt.json`` and so on for a file with several seals."""
    beside = (each for each in path.parent.iterdir() if each.name.startswith(f"{path.stem}."))
    return sorted(each for each in beside if _numbered(each.name.removeprefix(path.stem)))


def _numbered(rest: str) -> bool:
    middle = rest.removesuffix(".receipt.json")
    return middle != rest and (not middle or middle.removeprefix(".").isdecimal())


def _seals(verdict: "Verdict") -> str:
    return str(sum(each.kind == "seal" for each in verdict.signatures))


def _first_reason(verdict: "Verdict") -> str:
    """The first finding that is as bad as the verdict; none where the file passed."""
    for severity in ("failure", "doubt"):
        for finding in verdict.all_findings:
            if finding.severity == severity:
                return f"{finding.code}: {finding.zh}"
    return ""
