"""A foreign file is judged in a worker with limits; what exceeds them is a verdict too."""

from datetime import timedelta
from pathlib import Path

import pytest
from world import START

from sandbox.pool import MIB
from verify.bounded import Limits, judge_bounded
from verify.verdict import Indication, Verdict

NOW = START + timedelta(days=1)
LIMITS = Limits(seconds=30)


def bounded(archive, path: Path, *receipts, limits: Limits = LIMITS) -> Verdict:
    return judge_bounded(path, receipts, trust=archive.trust, now=NOW, limits=limits)


@pytest.mark.parametrize("name", ["final", "unfinished", "attested", "streams", "abandoned"])
def test_the_verdict_is_that_of_the_judge(archive, name: str) -> None:
    sealed = getattr(archive, name)
    assert bounded(archive, sealed.path, sealed.receipt) == archive.judge(sealed.path, sealed.receipt)
    assert bounded(archive, sealed.path) == archive.judge(sealed.path)


def test_every_receipt_crosses(archive) -> None:
    verdict = bounded(archive, archive.twice, archive.unfinished.receipt, archive.second)
    assert verdict.indication is Indication.TOTAL_PASSED
    assert [each.ledger["state"] for each in verdict.signatures] == ["proven", "proven"]


def test_lists_cross(archive) -> None:
    trust = archive.trusting(crls=(archive.crl(),))
    given = {"trust": trust, "now": NOW, "limits": LIMITS}
    verdict = judge_bounded(archive.final.path, [archive.final.receipt], **given)
    assert verdict.signatures[0].certificate["revocation"]["signer"] == "good"


def test_time_runs_out(archive) -> None:
    verdict = bounded(archive, archive.final.path, archive.final.receipt, limits=Limits(seconds=0.001))
    assert verdict.indication is Indication.INDETERMINATE
    (finding,) = verdict.all_findings
    assert (finding.code, "worker-timeout" in finding.zh) == ("judging_failed", True)
    assert verdict.file_digest == archive.judge(archive.final.path).file_digest
    assert verdict.file_length == len(archive.final.data)


def test_memory_runs_out(archive) -> None:
    verdict = bounded(archive, archive.final.path, limits=Limits(seconds=30, memory_bytes=32 * MIB))
    assert verdict.indication is Indication.INDETERMINATE
    (finding,) = verdict.all_findings
    assert (finding.code, "worker-" in finding.zh, "worker-" in finding.en) == ("judging_failed", True, True)


def test_a_file_that_is_not_there(archive) -> None:
    with pytest.raises(FileNotFoundError):
        bounded(archive, archive.folder / "none.pdf")


def test_a_verdict_survives_its_json(archive) -> None:
    for path in (archive.final.path, archive.twice, archive.write(b"")):
        verdict = archive.judge(path)
        assert Verdict.from_json(verdict.to_json()) == verdict
