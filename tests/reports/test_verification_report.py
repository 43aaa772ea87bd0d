"""The sealed page: what stands in it, that data is never markup, and that it can be judged itself."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from world import START

from keystore.interface import KeystoreError
from sealing import verification_report
from sealing.report_page import shown, typeset
from sealing.verification_report import INTENDED, make_report
from verify.report import lines
from verify.verdict import Indication, Verdict, note


def text_of(path: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def pages_of(path: Path) -> int:
    done = subprocess.run(["pdfinfo", str(path)], capture_output=True, check=True)
    return int(next(line.split()[1] for line in done.stdout.decode().splitlines() if line.startswith("Pages:")))


@pytest.mark.tool("pdftotext")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("电子印章核验报告", "通过", "赣州市行政审批局", "文件摘要", "报告编号")),
        ("en", ("Verification report", "PASSED", "Signed by", "File digest", "Report number")),
    ],
)
def test_the_page_says_what_the_verdict_says(bench: Any, passed: Verdict, language: Any, words: tuple[str]) -> None:
    made = make_report(bench.shop, passed, name="决定.pdf", language=language, now=START)
    path = bench.write(f"passed-{language}.pdf", made)
    text = text_of(path)
    for word in (*words, "决定.pdf", "TOTAL_PASSED", str(passed.signatures[0].item["document_number"])):
        assert word in text, word
    assert pages_of(path) == 1


@pytest.mark.tool("pdfsig")
def test_the_report_is_sealed_and_passes_its_own_verifier(bench: Any, failed: Verdict) -> None:
    path = bench.write("failed.pdf", make_report(bench.shop, failed, name="x.pdf", language="zh", now=START))
    verdict = bench.judge(path)
    assert verdict.indication is Indication.TOTAL_PASSED, verdict.all_findings
    assert [each.final for each in verdict.signatures] == [True]
    signed = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=True).stdout.decode()
    assert "Signature is Valid" in signed
    assert "Total document signed" in signed


def test_the_key_is_used_only_behind_a_committed_entry(
    bench: Any, passed: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The use of the key fails; the entry that names the bytes stands already."""
    seen: list[Any] = []

    def stop(prepared: Any, key: Any, grounds: Any) -> bytes:
        with bench.shop.database.read() as connection:
            index = bench.shop.book.indexes(connection, INTENDED)[-1]
            seen.append(bench.shop.book.entry(connection, index).value("report"))
        raise KeystoreError("停", "stopped")

    monkeypatch.setattr(verification_report, "_signed", stop)
    with pytest.raises(KeystoreError):
        make_report(bench.shop, passed, name="x.pdf", language="zh", now=START)
    assert seen[0]["file_digest"] == passed.file_digest
    assert set(seen[0]) == {"report", "file_digest", "verdict_digest", "indication", "to_be_signed"}
    assert not bench.shop.documents.left(START)
    assert bench.shop.book.audit() == []


@pytest.mark.tool("pdftotext")
def test_data_is_never_markup_and_unknown_characters_are_no_error(bench: Any, passed: Verdict) -> None:
    nasty = '#import "x": * $ <label> @ref *bold* \\ "}) \x00\u202eع😀 ' + "x" * 300
    signature = replace(passed.signatures[0], field=nasty, item={"document_number": nasty})
    pdf = typeset(replace(passed, signatures=(signature,)), name=nasty, number="rpt-1", language="en", now=START)
    text = text_of(bench.write("nasty.pdf", pdf))
    assert '#import "x": * $ <label> @ref *bold* \\' in text


@pytest.mark.tool("pdftotext")
def test_long_content_spills_to_further_pages(bench: Any, passed: Verdict) -> None:
    findings = tuple(note(f"code_{n}", f"第 {n} 条", f"sentence {n}") for n in range(150))
    many = replace(passed, findings=findings, signatures=passed.signatures * 3)
    path = bench.write("long.pdf", typeset(many, name="x", number="rpt-1", language="en", now=START))
    text = text_of(path)
    assert pages_of(path) > 2
    assert all(f"sentence {n}" in text for n in range(150))


def test_what_is_left_out_is_said(bench: Any, passed: Verdict) -> None:
    findings = tuple(note("code", "话", "words") for _ in range(203))
    pdf = typeset(replace(passed, findings=findings), name="x", number="rpt-1", language="en", now=START)
    assert "3 more are not printed" in text_of(bench.write("cut.pdf", pdf))


def test_equal_content_gives_equal_pages(passed: Verdict) -> None:
    made = {typeset(passed, name="x", number="rpt-1", language="zh", now=START) for _ in range(2)}
    assert len(made) == 1


@pytest.mark.parametrize(
    ("witnessed", "words"),
    [
        ("witnessed 2 of 3", ("3 名见证人中 2 名联署", "2 of 3 witnesses")),
        ("operator_only", ("没有外部见证", "no outside")),
    ],
)
def test_who_cosigned_is_said(passed: Verdict, witnessed: str, words: tuple[str, str]) -> None:
    signature = replace(passed.signatures[0], ledger={"witnessed": witnessed})
    verdict = replace(passed, signatures=(signature,))
    for language, word in zip(("zh", "en"), words, strict=True):
        assert word in "\n".join(lines(verdict, language))


def test_long_words_can_break() -> None:
    zero_width = "\N{ZERO WIDTH SPACE}"
    assert shown("a" * 64).split(zero_width) == ["a" * 8] * 8
    assert shown("短 words stay") == "短 words stay"
