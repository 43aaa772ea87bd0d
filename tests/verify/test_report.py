"""The report for people."""

import pytest

from verify.report import lines
from verify.verdict import Verdict, failure


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "zh",
            [
                "结论：通过 TOTAL_PASSED",
                "印章：赣州市行政审批局行政审批专用章（12）（样章）",
                "负责人本人密钥签名",
                "未核对吊销",
            ],
        ),
        (
            "en",
            ["Verdict: PASSED TOTAL_PASSED", "Seal: 赣州市", "(specimen)", "the principal's own key", "not checked"],
        ),
    ],
)
def test_the_report_tells_a_good_file(archive, language, parts) -> None:
    text = "\n".join(lines(archive.judge(archive.final.path, archive.final.receipt), language))
    for part in (
        *parts,
        "赣市审协〔2026〕12号",
        "特种设备使用登记",
        archive.final.receipt.impression,
        "issuer_not_licensed",
    ):
        assert part in text


@pytest.mark.parametrize(("language", "word"), [("zh", "不通过"), ("en", "FAILED")])
def test_the_conclusion_stands_first(archive, language, word) -> None:
    report = lines(archive.judge(archive.final.data + b"x", archive.final.receipt), language)
    assert word in report[0]
    assert "FORMAT_FAILURE" in report[0]


def test_findings_of_other_kinds_have_other_marks(archive) -> None:
    report = lines(archive.judge(archive.unfinished.path), "en")
    marked = {
        line.split()[1].rstrip(":"): line.split()[0] for line in report if line.strip()[:2] in {"✗ ", "? ", "! ", "· "}
    }
    assert marked["not_final"] == "?"
    assert marked["revocation_not_checked"] == "!"


def test_a_report_holds_no_control_characters() -> None:
    finding = failure("code", "甲\x1b[2J", "a\nb\u202e")
    verdict = Verdict(file_digest="sha256:0", file_length=1, judged_at="2026", findings=(finding,), signatures=())
    for language in ("zh", "en"):
        for line in lines(verdict, language):
            assert line.isprintable()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_foreign_signature_is_reported_without_seal(archive, stranger, language) -> None:
    report = lines(archive.judge(stranger.sign(archive.unfinished.data)), language)
    assert any("Stranger" in line for line in report)
