"""Judges a sealed PDF: no database, no network, no private key, no clock.

Each question has a module of its own; here they are asked of the whole file and the answers are put together. Whatever
a parser stumbles over becomes a finding with a reason, never an exception.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pyhanko.pdf_utils.misc import PdfReadError

from ledger.moments import to_text
from verify import changes, file_scan, rendering
from verify.case import Case, mapped
from verify.ledger_evidence import AskLog, named, unmatched_receipt
from verify.material import gather, judge_store
from verify.pdf_syntax import FileBytes, SyntaxFaultError
from verify.receipt import Receipt
from verify.signature import judge_signature
from verify.signature_reading import PARSER_ERRORS, Signatures, open_reader, read_signatures
from verify.trust import Trust
from verify.verdict import Finding, SignatureVerdict, Verdict, doubt, failure, warning

_HEADER = b"%PDF-"
_MOST_SIGNATURES = 100
_START = re.compile(rb"startxref[\x00\t\n\x0c\r ]*(\d{1,15})")
_SEARCHED = 2048
_LONGEST_WORD = 256
_Judged = tuple[tuple[Finding, ...], tuple[SignatureVerdict, ...]]


def judge(
    path: Path,
    *,
    receipt: Receipt | None,
    trust: Trust,
    now: datetime,
    ask_log: AskLog | None = None,
    further_receipts: Sequence[Receipt] = (),
) -> Verdict:
    """Judge the file at ``path``.

    ``receipt`` is that of the seal (``further_receipts`` for a file with several seals); ``now`` is aware; ``ask_log``
    answers for a log at hand. Raises ``OSError`` only, when the file cannot be read.
    """
    receipts = (*((receipt,) if receipt else ()), *further_receipts)
    with mapped(path) as (stream, data):
        case = Case(data=data, stream=stream, receipts=receipts, trust=trust, now=now, ask_log=ask_log)
        try:
            findings, signatures = _judge_file(case)
        except Exception as error:  # noqa: BLE001  whatever a parser raises is a reason not to know
            findings, signatures = (_stumbled(error),), ()
        return Verdict(
            file_digest=case.hash_prefix(len(data)),
            file_length=len(data),
            judged_at=to_text(now),
            findings=(*findings, *_unmatched(case, signatures)),
            signatures=signatures,
        )


def _judge_file(case: Case) -> _Judged:
    places = file_scan.byte_range_places(case.data)
    if case.data[: len(_HEADER)] != _HEADER:
        return (_not_a_pdf(len(case.data), signed=bool(places)),), ()
    try:
        if not file_scan.has_end(case.data) or not _names_a_section(case.data):
            raise PdfReadError("no end")
        reader, lenient = open_reader(case.stream)
        if reader.encrypted:
            return (_ENCRYPTED,), ()
        signatures = read_signatures(case.data, reader)
    except PARSER_ERRORS as error:
        return (_unreadable(error, case, signed=bool(places)),), ()
    findings = (
        *signatures.broken,
        *_whole_file(case, signatures, places),
        *rendering.judge_rendering(case.data, signatures),
    )
    if not places and not signatures.readings:
        return (*findings, _UNSIGNED), ()
    if len(signatures.readings) > _MOST_SIGNATURES:
        return (*findings, _too_many(len(signatures.readings))), ()
    judged, stumbles = _each_signature(case, signatures, lenient=lenient)
    return (
        *findings,
        *stumbles,
        *_not_final(judged),
        *((_ONLY_TIMESTAMPS,) if judged and all(each.kind == "timestamp" for each in judged) else ()),
        *((_LENIENT,) if lenient else ()),
    ), judged


def _names_a_section(data: FileBytes) -> bool:
    """Whether a word ends soon where the last ``startxref`` points; a library would look for its end, and for long."""
    found = list(_START.finditer(data, max(0, len(data) - _SEARCHED)))
    at = int(found[-1][1]) if found else 0
    return any(each in b" \t\r\n\f\0" for each in data[at : at + _LONGEST_WORD])


def _each_signature(
    case: Case, signatures: Signatures, *, lenient: bool
) -> tuple[tuple[SignatureVerdict, ...], list[Finding]]:
    material = gather(case, signatures)
    judged, stumbles = [], list(judge_store(material))
    for reading in signatures.readings:
        try:
            judged.append(judge_signature(case, signatures, reading, material, lenient=lenient))
        except Exception as error:  # noqa: BLE001  the findings on the rest of the file must not be lost
            stumbles.append(_stumbled(error))
    return tuple(judged), stumbles


def _whole_file(case: Case, signatures: Signatures, places: list[int]) -> Iterator[Finding]:
    """What concerns no single signature: unreachable ones, and bytes that none of them covers."""
    written = [each.written for each in signatures.readings]
    if file_scan.unreached(places, written) and not signatures.broken:
        yield _UNREACHED
    if not written:
        return
    try:
        start = changes.strictly_from(signatures.readings)
        yield from changes.judge_tail(file_scan.later_revisions(case.data, start), signatures)
    except SyntaxFaultError as error:
        yield failure(
            "uncovered_bytes",
            f"签名未覆盖的内容不是规范的修订：偏移 {error.at} 处应为 {error.expected}",
            f"bytes that no signature covers are not a well-formed revision: {error}",
            "FORMAT_FAILURE",
        )
    except Exception as error:  # noqa: BLE001  the other findings on the file must not be lost
        yield _stumbled(error)


def _not_final(judged: tuple[SignatureVerdict, ...]) -> Iterator[Finding]:
    """A file with our seals is complete when its last seal locks it."""
    seals = [each for each in judged if each.kind == "seal"]
    if seals and not any(each.final for each in seals):
        yield doubt(
            "not_final",
            "文件还没有加盖最后一枚印章（没有锁定），内容仍可追加",
            "the final seal, which locks the file, is not on it yet; more may be added",
        )


def _unmatched(case: Case, judged: tuple[SignatureVerdict, ...]) -> Iterator[Finding]:
    """Receipts that are about no signature of this file."""
    known = {digest for each in judged for digest in each.digests.values()}
    return (unmatched_receipt() for receipt in case.receipts if not named(receipt) & known)


def _not_a_pdf(length: int, *, signed: bool) -> Finding:
    if not length:
        return doubt("empty_file", "文件为空（0 字节）", "the file is empty (0 bytes)", "SIGNED_DATA_NOT_FOUND")
    zh, en = "文件不以 %PDF- 开头，不是 PDF", "the file does not begin with %PDF-, so it is no PDF"
    if signed:
        return failure("not_a_pdf", f"{zh}，却含有签名数据", f"{en}, yet it holds a signature", "FORMAT_FAILURE")
    return doubt("not_a_pdf", zh, en, "SIGNED_DATA_NOT_FOUND")


def _unreadable(error: Exception, case: Case, *, signed: bool) -> Finding:
    """A broken file with a signature in it fails, but not one that is byte for byte what the record holds."""
    kind = type(error).__name__
    zh, en = f"PDF 无法解析（{kind}）", f"the PDF cannot be parsed ({kind})"
    digest = case.hash_prefix(len(case.data))
    as_recorded = any(digest in named(receipt) for receipt in case.receipts)
    if signed and not as_recorded:
        return failure("pdf_broken", f"{zh}，而其中有签名", f"{en}, and there is a signature in it", "FORMAT_FAILURE")
    return doubt("pdf_unreadable", zh, en)


def _too_many(found: int) -> Finding:
    return doubt(
        "too_many_signatures",
        f"文件有 {found} 个签名，至多核验 {_MOST_SIGNATURES} 个",
        f"the file has {found} signatures, at most {_MOST_SIGNATURES} are judged",
    )


def _stumbled(error: Exception) -> Finding:
    kind = type(error).__name__
    return doubt("judging_failed", f"核验中断（{kind}）", f"judging could not be completed ({kind})")


_ENCRYPTED = doubt(
    "encrypted", "文件已加密，无法核验", "the file is encrypted and cannot be judged", "SIGNED_DATA_NOT_FOUND"
)
_UNSIGNED = doubt("no_signature", "文件中没有签名", "there is no signature in the file", "SIGNED_DATA_NOT_FOUND")
_ONLY_TIMESTAMPS = doubt(
    "no_signature",
    "文件中只有时间戳，没有签名：时间戳只说明文件何时已存在，不说明谁出具",
    "there are time-stamps alone and no signature in the file: they tell since when it exists, not whose it is",
    "SIGNED_DATA_NOT_FOUND",
)
_UNREACHED = failure(
    "signature_unreachable",
    "文件中有签名数据（/ByteRange）不属于任何签名域，文件已被破坏",
    "the file holds a /ByteRange that belongs to no signature field: it is broken, not unsigned",
    "FORMAT_FAILURE",
)
_LENIENT = warning(
    "read_leniently",
    "文件结构有不规范之处，按宽松方式读取",
    "the file's structure is irregular; it was read leniently",
)
