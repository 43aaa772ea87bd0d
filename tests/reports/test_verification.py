"""The verdict on an upload: present status, and files that break a worker."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from world import START

from ledger.moments import to_text
from registry.changes import Changes
from registry.document_status import StatusChange
from sealing.administration.seals import change_state
from sealing.verification import judge_upload, log_answer
from verify.verdict import Indication, Verdict


def status(bench: Any, verdict: Verdict) -> Any:
    return log_answer(bench.shop, str(verdict.signatures[0].digests["to_be_signed"]), START + timedelta(hours=1))


def test_the_log_tells_the_present_status(bench: Any, passed: Verdict) -> None:
    assert passed.indication is Indication.TOTAL_PASSED
    told = status(bench, passed)["status"]
    assert told == {
        "as_of": "2026-11-02T02:00:00.000000Z",
        "seal": "active",
        "agreement": "in_force",
        "certificate": "good",
        "document": "in_force",
    }


def test_the_present_status_follows_hold_and_annulment(bench: Any, passed: Verdict) -> None:
    world = bench.world
    change_state(bench.shop, world.seals["city"], "suspend", world.act("演练"))
    assert (status(bench, passed)["status"]["seal"], status(bench, passed)["status"]["certificate"]) == (
        "suspended",
        "held",
    )
    change_state(bench.shop, world.seals["city"], "resume", world.act("演练结束"))
    assert status(bench, passed)["status"]["certificate"] == "good"
    change = StatusChange(
        status="annulled",
        by="per-" + "a" * 26,
        reason="复议撤销",
        effective=START.date(),
        document="赣市复议〔2026〕1号",
        recorded=START,
    )
    with bench.shop.database.write() as connection:
        changes = Changes(store=bench.shop.registry, connection=connection, act=world.act("撤销"))
        changes.change_document_status(bench.impression, change)
    told = status(bench, passed)["status"]
    assert (told["document"], told["document_since"], told["document_by"]) == (
        "annulled",
        "2026-11-02",
        "赣市复议〔2026〕1号",
    )
    assert "复议撤销" not in str(told)  # why is not a stranger's to know


def test_the_log_tells_the_holds_that_are_over(bench: Any, passed: Verdict) -> None:
    """Suspended and resumed since: no list has it, the status does, and the verdict says that it was another time."""
    start, end = START + timedelta(milliseconds=1), START + timedelta(milliseconds=2)
    for change, now in (("suspend", start), ("resume", end)):
        change_state(bench.shop, bench.world.seals["city"], change, replace(bench.world.act("演练"), now=now))
    told = status(bench, passed)["status"]
    assert told["certificate"] == "good"
    assert told["holds"][-1] == [to_text(start), to_text(end)]
    verdict = bench.judge(bench.sealed)
    assert verdict.indication is Indication.TOTAL_PASSED
    assert "held_at_another_time" in {each.code for each in verdict.all_findings}


def test_a_signature_that_nobody_recorded_is_absent(bench: Any) -> None:
    assert log_answer(bench.shop, "sha256:" + "0" * 64, START) == {"state": "absent"}


def test_a_file_beyond_the_limits_is_a_verdict(bench: Any) -> None:
    """Not an error of the service: the reason stands in the verdict, with the digest of the file."""
    slow = replace(bench.shop, settings=bench.shop.settings.model_copy(update={"sandbox_seconds": 0.001}))
    verdict = judge_upload(slow, bench.sealed, length=bench.sealed.stat().st_size, receipt=None, now=START)
    assert verdict.indication is Indication.INDETERMINATE
    assert [each.code for each in verdict.findings] == ["judging_failed"]
    assert "worker-timeout" in verdict.findings[0].en
    assert verdict.file_digest == bench.judge(bench.sealed).file_digest


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"[" * 200_000])
def test_what_is_no_document_is_a_verdict(bench: Any, data: bytes) -> None:
    assert bench.judge(bench.write("odd.pdf", data)).indication is not Indication.TOTAL_PASSED
