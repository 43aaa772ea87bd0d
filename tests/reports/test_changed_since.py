"""A document that passed and is annulled by now: every report says so as loudly as it says that it passed."""

from dataclasses import replace
from typing import Any

import pytest
from world import START

from sealing.report_page import typeset
from tests.reports.test_verification_report import text_of
from verify.report import changed_since, lines
from verify.verdict import Indication, Verdict

ANNULLED = {"document": "annulled", "document_since": "2026-11-23", "document_by": "兴林撤〔2026〕1号"}


def annulled(passed: Verdict) -> Verdict:
    (signature,) = passed.signatures
    return replace(passed, signatures=(replace(signature, status={**signature.status, **ANNULLED}),))


@pytest.mark.parametrize(
    ("language", "headline", "sentence", "plain"),
    [
        ("zh", "通过，但现状有变", "文书 已撤销", "没有发现不利情形"),
        ("en", "PASSED, BUT CHANGED SINCE", "document annulled", "nothing speaks against"),
    ],
)
@pytest.mark.tool("pdftotext")
def test_an_annulled_document_is_not_plainly_passed(
    bench: Any, passed: Verdict, language: Any, headline: str, sentence: str, plain: str
) -> None:
    verdict = annulled(passed)
    assert verdict.indication is Indication.TOTAL_PASSED
    assert headline in lines(verdict, language)[0]
    made = typeset(verdict, name="x.pdf", number="rpt-1", language=language, now=START)
    text = text_of(bench.write(f"annulled-{language}.pdf", made))
    assert headline in " ".join(text.split())
    assert sentence in text.split("x.pdf")[0]  # above everything else
    assert plain not in text


def test_what_is_in_force_or_unknown_is_no_change(passed: Verdict) -> None:
    assert not changed_since(passed)
    (signature,) = passed.signatures
    unknown = dict.fromkeys(("document", "seal", "agreement", "certificate"), "unknown")
    assert not changed_since(replace(passed, signatures=(replace(signature, status=unknown),)))
