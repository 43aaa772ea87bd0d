"""The demo says no when something is not as it should be."""

from io import StringIO
from pathlib import Path

import httpx2
import pytest
from rich.console import Console

from demo.approval_system import Answer, Sealed
from demo.evidence import Judged
from demo.refusals import Refusal
from demo.report import Report
from demo.service import DemoError


def told(report: Report) -> str:
    file = report.console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


@pytest.fixture
def report() -> Report:
    return Report(console=Console(file=StringIO(), width=200), show=True)


def refusal(*codes: str, impression: str | None = None) -> Refusal:
    answer = Answer(status=422, impression=impression, findings={code: f"{code} 的说明" for code in codes})
    return Refusal(name="情形", rule="item_listed", answer=answer)


def judged(verdict: str = "TOTAL_PASSED", *, pdfsig: bool | None = True) -> Judged:
    sealed = Sealed(title="决定书", impression="imp", document=Path("a.pdf"), receipt=Path("a.json"))
    return Judged(sealed=sealed, verdict=verdict, pdfsig=pdfsig)


def test_a_refusal_by_the_rule_meant_is_as_expected(report: Report) -> None:
    report.refused(refusal("item_delegable", "item_listed"))
    assert report.end(1.0) == 0
    assert "item_delegable 的说明" in told(report)


@pytest.mark.parametrize(
    "wrong", [refusal("item_delegable"), refusal("item_listed", impression="imp-1"), refusal(impression="imp-1")]
)
def test_a_seal_use_or_another_rule_is_not(report: Report, wrong: Refusal) -> None:
    report.refused(wrong)
    assert report.end(1.0) == 1
    assert "item_listed" in report.wrong[0]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (judged(), 0),
        (judged(pdfsig=None), 0),
        (judged(pdfsig=False), 1),
        (judged("INDETERMINATE"), 1),
        (judged("TOTAL_FAILED", pdfsig=None), 1),
    ],
)
def test_each_verdict_counts(report: Report, seen: Judged, code: int) -> None:
    report.judged(seen)
    assert report.end(1.0) == code


def test_the_tables_name_everything_and_say_when_pdfsig_is_missing(report: Report) -> None:
    report.summary([judged(pdfsig=None)], [refusal("item_listed", "numbers_given")])
    assert all(word in told(report) for word in ("决定书", "TOTAL_PASSED", "未安装", "拒绝（另 1 条）", "a.pdf"))


def test_silent_but_for_the_end(report: Report) -> None:
    quiet = Report(console=report.console, show=False)
    with quiet.step("一步"):
        quiet.tell("一句")
    assert told(quiet) == ""
    assert quiet.end(1.0) == 0
    assert "全部如预期" in told(quiet)


def answered(status: int, body: dict[str, object]) -> httpx2.Response:
    return httpx2.Response(status, json=body, request=httpx2.Request("POST", "http://127.0.0.1/v1/seals"))


def test_answers_are_read() -> None:
    sealed = Answer.of(answered(201, {"impression": "imp-1", "findings": [{"code": "seal_active", "zh": "启用"}]}))
    assert (sealed.impression, sealed.findings) == ("imp-1", {})
    refused = Answer.of(answered(422, {"code": "refused", "findings": [{"code": "seal_active", "zh": "停用"}]}))
    assert (refused.impression, refused.findings) == (None, {"seal_active": "停用"})
    problem = Answer.of(answered(403, {"code": "role-required", "zh": "需要角色"}))
    assert problem.findings == {"role-required": "需要角色"}


def test_a_broken_server_is_no_refusal() -> None:
    with pytest.raises(DemoError, match="500"):
        Answer.of(answered(500, {"code": "internal"}))
