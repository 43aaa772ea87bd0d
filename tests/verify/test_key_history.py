"""Holds and effective times, as the log tells them, against every kind of time a signature can have (THREATS 19)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from world import START

from authority.revocation import Revoked
from ledger.cosignature import WitnessIdentity, cosign, merge
from ledger.moments import to_text
from verify.etsi_report import to_xml
from verify.key_history import Hold, claimed_moment, judge_holds
from verify.ledger_evidence import LogAnswer
from verify.receipt import Receipt
from verify.report import lines
from verify.times import Basis, Proof, Times
from verify.verdict import Indication, Verdict

PASSED, CANNOT_TELL, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
MINUTE = timedelta(minutes=1)
WITNESSED = START + 10 * MINUTE
"""When the witness of these tests cosigned a checkpoint over the entry, which was made at START."""


def at(minutes: int) -> datetime:
    return START + minutes * MINUTE


def hold(start: int, end: int | None) -> Hold:
    return Hold(start=at(start), end=None if end is None else at(end))


def proof(minutes: int, basis: Basis = "outside_time_stamp") -> Proof:
    return Proof(time=at(minutes), basis=basis)


def pdf_date(moment: datetime) -> str:
    return moment.strftime("D:%Y%m%d%H%M%SZ")


@pytest.mark.parametrize(
    ("times", "claimed", "code"),
    [
        (Times(recorded=at(4)), None, "held_at_another_time"),
        (Times(recorded=at(5)), None, "sealed_while_held"),
        (Times(recorded=at(9)), None, "sealed_while_held"),
        (Times(recorded=at(10)), None, "held_at_another_time"),
        (Times(recorded=at(4), proofs=(proof(7),)), None, "held_at_another_time"),
        (Times(recorded=at(12), proofs=(proof(7),)), None, "sealed_while_held"),
        (Times(recorded=at(12), proofs=(proof(7, "operator_time_stamp"),)), None, "sealed_while_held"),
        (Times(recorded=at(12), proofs=(proof(3),)), None, "held_at_another_time"),
        (Times(recorded=at(12), proofs=(proof(15),)), None, "held_at_another_time"),
        (Times(proofs=(proof(3),)), pdf_date(at(7)), "held_at_another_time"),
        (Times(proofs=(proof(7),)), pdf_date(at(3)), "held_at_unknown_time"),
        (Times(proofs=(proof(12),)), pdf_date(at(11)), "held_at_unknown_time"),
        (Times(), pdf_date(at(7)), "sealed_while_held"),
        (Times(), pdf_date(at(3)), "held_at_unknown_time"),
        (Times(), None, "held_at_unknown_time"),
    ],
    ids=[
        "recorded before",
        "recorded as it began",
        "recorded in it",
        "recorded as it ended",
        "recorded before, proven in it",
        "recorded after, proven in it",
        "recorded after, by the operator's stamp in it",
        "recorded after, proven before",
        "recorded and proven after",
        "proven before",
        "proven in it, not recorded",
        "proven after, not recorded",
        "claimed in it",
        "claimed before",
        "nothing known",
    ],
)
def test_one_hold_against_what_is_known_of_the_time(times: Times, claimed: str | None, code: str) -> None:
    (found,) = judge_holds((hold(5, 10),), times, claimed)
    assert found.code == code
    expected = {"sealed_while_held": "REVOKED", "held_at_unknown_time": "REVOKED_NO_POE"}
    assert found.sub_indication == expected.get(code)


def test_every_hold_counts_and_one_that_lasts_has_no_end() -> None:
    holds = (hold(1, 2), hold(5, 10), hold(20, None))
    codes = [next(judge_holds(holds, Times(recorded=at(each)), None)).code for each in (1, 3, 6, 15, 20, 1000)]
    held, not_held = "sealed_while_held", "held_at_another_time"
    assert codes == [held, not_held, held, not_held, held, held]
    assert next(judge_holds(holds, Times(proofs=(proof(3),)), None)).code == "held_at_unknown_time"


def test_without_holds_nothing_is_said() -> None:
    assert list(judge_holds((), Times(), None)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D:20261102093000+08'00'", datetime(2026, 11, 2, 1, 30, tzinfo=UTC)),
        ("D:20261102093000-0130", datetime(2026, 11, 2, 11, 0, tzinfo=UTC)),
        ("D:20261102093000Z", datetime(2026, 11, 2, 9, 30, tzinfo=UTC)),
        ("D:20261102093000", None),
        ("D:20261302093000Z", None),
        ("D:20261102093000+99'00'", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_claimed_time_is_read_with_its_zone_or_not_at_all(text: str | None, expected: datetime | None) -> None:
    assert claimed_moment(text) == expected


@dataclass(slots=True, kw_only=True)
class Bench:
    """The sealed file, its receipt with and without a witness, and a log at hand that tells a status."""

    archive: object
    witness: WitnessIdentity
    cosigned: Receipt

    def judge(
        self, status: dict[str, object], *, receipt: bool = True, outside: bool = False, **trust: object
    ) -> Verdict:
        shown = (self.cosigned if outside else self.archive.final.receipt) if receipt else None
        answer = LogAnswer(state="found", receipt=None, status=status)
        trusted = self.archive.trusting(witnesses=(self.witness,), **trust)
        return self.archive.judge(self.archive.final.path, shown, trust=trusted, ask_log=lambda _: answer)


@pytest.fixture(scope="module")
def bench(archive) -> Bench:
    key = archive.keystore.generate("witness", "ed25519")
    witness, receipt = WitnessIdentity.of_key("witness.example/one", key), archive.final.receipt
    note = receipt.evidence.checkpoint
    cosigned = merge(note, cosign(note, witness, key, WITNESSED) + "\n")
    return Bench(
        archive=archive,
        witness=witness,
        cosigned=replace(receipt, evidence=replace(receipt.evidence, checkpoint=cosigned)),
    )


def holds(*intervals: tuple[int, int | None]) -> dict[str, object]:
    told = [[to_text(at(start)), None if end is None else to_text(at(end))] for start, end in intervals]
    return {"certificate": "good", "holds": told}


def codes(verdict: Verdict) -> set[str]:
    return {each.code for each in verdict.all_findings}


@pytest.mark.parametrize(
    ("intervals", "indication", "code"),
    [
        (((-10, -5),), PASSED, "held_at_another_time"),
        (((5, 8),), PASSED, "held_at_another_time"),
        (((-10, -5), (-1, 1)), FAILED, "sealed_while_held"),
        (((-1, None),), FAILED, "sealed_while_held"),
        (((1, None),), PASSED, "held_at_another_time"),
    ],
    ids=["before", "after", "in the second", "in one that lasts", "before one that lasts"],
)
@pytest.mark.parametrize("outside", [False, True], ids=["operator only", "witnessed"])
def test_resuming_never_whitewashes(bench: Bench, intervals, indication, code, outside) -> None:
    """No revocation list has the hold any more: the ledger's intervals alone decide."""
    clean = bench.archive.crl()
    verdict = bench.judge(holds(*intervals), outside=outside, crls=(clean,))
    assert (verdict.indication, code in codes(verdict)) == (indication, True)
    assert (verdict.sub_indication == "REVOKED") == (indication is FAILED)


def test_without_a_receipt_a_hold_leaves_doubt(bench: Bench) -> None:
    verdict = bench.judge(holds((-10, -5)), receipt=False)
    assert (verdict.indication, verdict.sub_indication) == (CANNOT_TELL, "REVOKED_NO_POE")
    assert "held_at_unknown_time" in codes(verdict)


@pytest.mark.parametrize(
    "told",
    [
        {"holds": [["2026-11-02", None]]},
        {"holds": [["2026-11-02T00:00:00.000000Z"]]},
        {"holds": 7},
        {"holds": [[5, None]]},
        {"revoked": {"time": "2026-11-02T00:00:00.000000Z"}},
        {"revoked": "yes"},
    ],
)
def test_a_history_that_cannot_be_read_is_no_clean_one(bench: Bench, told) -> None:
    verdict = bench.judge({"certificate": "good", **told})
    assert (verdict.indication, "status_unreadable" in codes(verdict)) == (CANNOT_TELL, True)
    assert lines(verdict, "en")


def revoked(time: int, effective: int) -> dict[str, object]:
    told = {"time": to_text(at(time)), "effective": to_text(at(effective)), "reason": "key_compromise"}
    return {"certificate": "revoked", "revoked": told}


@pytest.mark.parametrize(
    ("outside", "time", "effective", "indication", "code"),
    [
        (True, 60, 60, PASSED, "revoked_after_use"),
        (True, 60, 30, PASSED, "revoked_after_use"),
        (True, 60, 5, CANNOT_TELL, "revoked_with_earlier_effect"),
        (True, 60, -5, CANNOT_TELL, "revoked_with_earlier_effect"),
        (True, 5, -5, FAILED, "certificate_revoked"),
        (True, -5, -5, FAILED, "certificate_revoked"),
        (False, 60, 60, CANNOT_TELL, "certificate_revoked"),
        (False, 60, 5, CANNOT_TELL, "certificate_revoked"),
        (False, 60, -5, FAILED, "certificate_revoked"),
        (False, -5, -10, FAILED, "certificate_revoked"),
    ],
    ids=[
        "proven before both",
        "proven before a backdated effect",
        "proven after the effect, before the revocation",
        "recorded after the effect, proven before the revocation",
        "proven after the revocation",
        "recorded after the revocation",
        "not proven, revoked later",
        "not proven, recorded before the effect",
        "not proven, recorded after the effect",
        "not proven, recorded after both",
    ],
)
@pytest.mark.parametrize("listed", [False, True], ids=["log alone", "on the list too"])
def test_an_effective_time_before_the_revocation(
    bench: Bench, outside, time, effective, indication, code, listed
) -> None:
    entry = Revoked(serial=bench.archive.serial(bench.archive.final), time=at(time), reason="key_compromise")
    crls = (bench.archive.crl(entry),) if listed else ()
    verdict = bench.judge(revoked(time, effective), outside=outside, crls=crls)
    assert (verdict.indication, code in codes(verdict)) == (indication, True)
    subs = {PASSED: None, CANNOT_TELL: "REVOKED_NO_POE", FAILED: "REVOKED"}
    assert verdict.sub_indication == subs[indication]
    assert verdict.signatures[0].certificate["revocation"]["signer"] == "revoked"


def test_a_revocation_after_the_time_of_judging_is_not_yet_one(bench: Bench) -> None:
    verdict = bench.judge(revoked(60 * 24 * 30, -5), outside=True)
    assert codes(verdict) & {"certificate_revoked", "revoked_with_earlier_effect", "revoked_after_use"} == set()


def test_reports_tell_hold_and_revocation_in_both_languages(bench: Bench) -> None:
    verdict = bench.judge(holds((-10, -5)) | revoked(60, 30), outside=True)
    zh, en = "\n".join(lines(verdict, "zh")), "\n".join(lines(verdict, "en"))
    assert f"曾暂停：{to_text(at(-10))} 至 {to_text(at(-5))}" in zh
    assert f"Was on hold: from {to_text(at(-10))} to {to_text(at(-5))}" in en
    assert f"自 {to_text(at(30))} 起失效" in zh
    assert f"with effect from {to_text(at(30))}" in en
    xml = to_xml(verdict).decode()
    assert f'name="status.holds.0.0">{to_text(at(-10))}<' in xml
    assert f'name="status.revoked.effective">{to_text(at(30))}<' in xml
    assert Verdict.from_json(verdict.to_json()) == verdict
