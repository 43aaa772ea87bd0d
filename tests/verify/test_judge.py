"""The verdict on files that are what they seem, and on evidence that is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from world import START

from ledger.entry import Opening
from verify.ledger_evidence import LogAnswer, Trace
from verify.receipt import Receipt
from verify.verdict import Finding, Indication, Verdict, doubt, failure, indication_of, note, sub_indication_of

PASSED, CANNOT_TELL, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
Against = Callable[[Verdict], set[str]]


def test_a_sealed_file_with_its_receipt_passes(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=archive.trusting(crls=(archive.crl(),)))
    assert (verdict.indication, against(verdict)) == (PASSED, set())
    (seal,) = verdict.signatures
    assert seal.kind == "seal"
    assert seal.level == "PAdES-B-B"
    assert seal.final
    assert seal.signer["organisation"] == "赣州市行政审批局"
    assert seal.seal["name"] == "赣州市行政审批局行政审批专用章（12）"
    assert seal.agreement["number"] == "赣市审协〔2026〕12号"
    assert seal.agreement["grantee_name"] == "兴国县行政审批局"
    assert seal.item["item"] == "001-2 30"
    assert seal.approval["assurance"] == "person_signed"
    assert seal.certificate["revocation"]["signer"] == "good"
    assert seal.ledger["state"] == "proven"
    assert seal.ledger["time"] == "2026-11-02T01:00:00.000000Z"
    assert seal.time["basis"] == "operator_only"
    assert seal.coverage["whole_file"]


def test_the_verdict_says_what_it_rests_on(archive) -> None:
    verdict = archive.judge(archive.final.path, archive.final.receipt)
    said = {each.code: each.severity for each in verdict.all_findings}
    assert said == {
        "revocation_not_checked": "warning",
        "operator_only": "note",
        "key_enrolment_operator_only": "note",
        "issuer_not_licensed": "warning",
        "not_a_national_seal": "note",
    }
    assert verdict.signatures[0].seal["specimen"] is True


def test_an_attested_approval_is_said_to_be_weaker(archive) -> None:
    verdict = archive.judge(archive.attested.path, archive.attested.receipt)
    assert verdict.indication is PASSED
    assert verdict.signatures[0].approval["assurance"] == "system_attested"
    assert "system_attested" in {each.code for each in verdict.all_findings}


def test_without_receipt_and_log_nobody_can_tell(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path)
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"ledger_evidence_missing"})


def test_a_file_that_waits_for_its_final_seal_is_not_final(archive, against: Against) -> None:
    verdict = archive.judge(archive.unfinished.path, archive.unfinished.receipt)
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"not_final"})


def test_a_file_with_two_seals_passes_with_both_receipts(archive, against: Against) -> None:
    first = archive.unfinished.receipt
    verdict = archive.judge(archive.twice, first, further_receipts=[archive.second])
    assert (verdict.indication, against(verdict)) == (PASSED, set())
    assert [each.final for each in verdict.signatures] == [False, True]
    assert verdict.signatures[0].coverage["later_bytes"] > 0
    assert "permitted_later_changes" in {each.code for each in verdict.signatures[0].findings}


def test_one_receipt_does_not_speak_for_the_other_seal(archive, against: Against) -> None:
    verdict = archive.judge(archive.twice, archive.second)
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"ledger_evidence_missing"})
    assert [each.indication for each in verdict.signatures] == [CANNOT_TELL, PASSED]


def test_the_receipt_of_another_file_fails(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path, archive.other.receipt)
    assert verdict.indication is FAILED
    assert against(verdict) == {"receipt_of_another_file", "ledger_evidence_missing"}


def test_a_receipt_with_an_unsigned_file_fails(archive, against: Against) -> None:
    verdict = archive.judge(b"%PDF-1.7 nothing", archive.final.receipt)
    assert verdict.indication is FAILED
    assert "receipt_of_another_file" in against(verdict)


@pytest.mark.parametrize("with_receipt", [True, False])
def test_an_abandoned_signature_fails(archive, against: Against, with_receipt) -> None:
    """With the entry of the abandonment, or with a log at hand that knows of it."""
    receipt = archive.abandoned.receipt if with_receipt else None
    ask = None if with_receipt else lambda trace: LogAnswer(state="abandoned")
    verdict = archive.judge(archive.abandoned.path, receipt, ask_log=ask)
    assert (verdict.indication, against(verdict)) == (FAILED, {"attempt_abandoned"})


def test_the_intent_is_no_impression(archive, against: Against) -> None:
    verdict = archive.judge(archive.abandoned.path, archive.abandoned.intent)
    assert verdict.indication is FAILED
    assert "entry_not_an_impression" in against(verdict)


class Log:
    """A log at hand that remembers what it was asked."""

    def __init__(self, answer: LogAnswer | None) -> None:
        self.answer, self.asked = answer, []

    def __call__(self, trace: Trace) -> LogAnswer | None:
        self.asked.append(trace)
        return self.answer


def test_a_log_that_does_not_know_the_file_makes_it_fail(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path, ask_log=Log(LogAnswer(state="absent")))
    assert (verdict.indication, against(verdict)) == (FAILED, {"not_in_ledger"})


def test_the_word_of_the_log_outweighs_a_receipt(archive, against: Against) -> None:
    log = Log(LogAnswer(state="abandoned"))
    verdict = archive.judge(archive.final.path, archive.final.receipt, ask_log=log)
    assert (verdict.indication, against(verdict)) == (FAILED, {"attempt_abandoned"})


def test_a_log_is_asked_for_the_digests_of_its_entry(archive) -> None:
    log = Log(LogAnswer(state="found", receipt=archive.final.receipt))
    verdict = archive.judge(archive.final.path, ask_log=log)
    assert verdict.indication is PASSED
    document = archive.final.receipt.evidence.openings["document"].value
    intent = archive.final.intent.evidence.openings["document"].value
    (trace,) = log.asked
    assert trace.sealed_digest == document["sealed_digest"]
    assert trace.byte_range_digest == document["byte_range_digest"]
    assert trace.sealed_length == document["sealed_length"]
    assert trace.to_be_signed == intent["to_be_signed"]


def test_a_log_may_say_found_without_proof(archive) -> None:
    verdict = archive.judge(archive.final.path, ask_log=Log(LogAnswer(state="found")))
    assert "log_was_asked" in {each.code for each in verdict.all_findings}
    assert verdict.signatures[0].time["basis"] == "claimed_only"


def test_a_log_that_gives_no_answer_changes_nothing(archive, against: Against) -> None:
    assert against(archive.judge(archive.final.path, ask_log=Log(None))) == {"ledger_evidence_missing"}


def altered(receipt: Receipt, group: str, **changed: object) -> Receipt:
    """The receipt with values in one opening exchanged."""
    opening = receipt.evidence.openings[group]
    other = Opening(group=group, salt=opening.salt, value=opening.value | changed)
    return with_openings(receipt, {**receipt.evidence.openings, group: other})


def with_openings(receipt: Receipt, openings: dict[str, Opening]) -> Receipt:
    return replace(receipt, evidence=replace(receipt.evidence, openings=openings))


@pytest.mark.parametrize(
    ("group", "changed"),
    [
        ("case", {"item": "001-2 28"}),
        ("seal", {"seal_number": 13}),
        ("persons", {"principal_name": "别人"}),
        ("decision", {"allowed": False}),
        ("document", {"sealed_length": 1}),
        ("approval", {"assurance": "system_attested"}),
        ("numbers", {"document_number": "另一号"}),
    ],
)
def test_an_altered_opening_fails(archive, against: Against, group, changed) -> None:
    verdict = archive.judge(archive.final.path, altered(archive.final.receipt, group, **changed))
    assert verdict.indication is FAILED
    assert "ledger_evidence_invalid" in against(verdict)


@pytest.mark.parametrize("part", ["leaf", "proof", "index", "checkpoint", "impression", "salt"])
def test_an_altered_receipt_fails(archive, against: Against, part) -> None:
    receipt = archive.final.receipt
    evidence = receipt.evidence
    opening = evidence.openings["case"]
    changed = {
        "leaf": lambda: replace(evidence, leaf=archive.other.receipt.evidence.leaf),
        "proof": lambda: replace(evidence, proof=(evidence.proof[0][::-1], *evidence.proof[1:])),
        "index": lambda: replace(evidence, index=evidence.index - 1),
        "checkpoint": lambda: replace(evidence, checkpoint=evidence.checkpoint.replace("\n2", "\n3", 1)),
        "impression": lambda: evidence,
        "salt": lambda: replace(
            evidence, openings={**evidence.openings, "case": replace(opening, salt=opening.salt[::-1])}
        ),
    }[part]()
    name = archive.other.receipt.impression if part == "impression" else receipt.impression
    verdict = archive.judge(archive.final.path, Receipt(impression=name, evidence=changed))
    assert verdict.indication is FAILED
    assert "ledger_evidence_invalid" in against(verdict)


@pytest.mark.parametrize(
    ("group", "code"),
    [("document", "receipt_of_another_file"), ("seal", "opening_missing"), ("approval", "approval_evidence_missing")],
)
def test_openings_that_are_needed_may_not_be_left_out(archive, against: Against, group, code) -> None:
    openings = dict(archive.final.receipt.evidence.openings)
    del openings[group]
    verdict = archive.judge(archive.final.path, with_openings(archive.final.receipt, openings))
    assert verdict.indication in {CANNOT_TELL, FAILED}
    assert code in against(verdict)


def test_erased_personal_data_is_a_warning_only(archive, against: Against) -> None:
    openings = dict(archive.final.receipt.evidence.openings)
    del openings["persons"]
    verdict = archive.judge(archive.final.path, with_openings(archive.final.receipt, openings))
    assert (verdict.indication, against(verdict)) == (PASSED, set())
    assert "opening_absent" in {each.code for each in verdict.all_findings}


def test_another_root_gives_no_chain(archive, against: Against) -> None:
    verdict = archive.judge(
        archive.final.path, archive.final.receipt, trust=archive.trusting(roots=(archive.other_root(),))
    )
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"no_trusted_path"})
    assert verdict.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


@pytest.mark.parametrize("origin", ["yinxin.example/log", "another.example/log"])
def test_another_log_key_proves_nothing(archive, against: Against, origin) -> None:
    trust = archive.trusting(logs=(archive.other_log(origin),))
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=trust)
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"log_not_trusted"})


def test_after_the_certificates_end_no_proof_of_time_helps(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path, archive.final.receipt, now=datetime(2028, 1, 2, tzinfo=UTC))
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"certificate_out_of_bounds"})
    assert verdict.sub_indication == "OUT_OF_BOUNDS_NO_POE"


def test_a_ledger_ahead_of_the_verifiers_clock_leaves_doubt(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path, archive.final.receipt, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert verdict.indication is CANNOT_TELL
    assert against(verdict) == {"certificate_out_of_bounds", "ledger_time_ahead"}


def test_a_certificate_revoked_before_the_use_fails(archive, against: Against) -> None:
    crl = archive.revoked(archive.final, START - timedelta(hours=1))
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=archive.trusting(crls=(crl,)))
    assert (verdict.indication, against(verdict)) == (FAILED, {"certificate_revoked"})
    assert verdict.sub_indication == "REVOKED"


def test_a_certificate_revoked_after_the_use_leaves_doubt(archive, against: Against) -> None:
    crl = archive.revoked(archive.final, START + timedelta(hours=1))
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=archive.trusting(crls=(crl,)))
    assert (verdict.indication, verdict.sub_indication) == (CANNOT_TELL, "REVOKED_NO_POE")
    assert verdict.signatures[0].certificate["revocation"]["signer"] == "revoked"


def test_without_ledger_time_a_revocation_leaves_doubt(archive) -> None:
    crl = archive.revoked(archive.final, START - timedelta(hours=1))
    verdict = archive.judge(archive.final.path, trust=archive.trusting(crls=(crl,)))
    assert (verdict.indication, verdict.sub_indication) == (CANNOT_TELL, "REVOKED_NO_POE")


def test_a_stale_list_proves_nothing(archive, against: Against) -> None:
    crl = archive.crl(now=START)
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=archive.trusting(crls=(crl,)))
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"revocation_list_stale"})
    assert verdict.sub_indication == "TRY_LATER"


def test_a_list_that_the_issuer_did_not_sign_says_nothing(archive) -> None:
    crl = bytearray(archive.revoked(archive.final, START))
    crl[-1] ^= 1
    trust = archive.trusting(crls=(bytes(crl), b"no list"))
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=trust)
    assert verdict.indication is PASSED
    assert verdict.signatures[0].certificate["revocation"]["signer"] == "not_checked"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"not a pdf at all", "not_a_pdf"),
        (b"%PDF-1.7\n1 0 obj\n", "pdf_unreadable"),
        (b"\x00" * 4096, "not_a_pdf"),
    ],
)
def test_what_is_no_pdf_gets_a_clear_finding(archive, against: Against, data, code) -> None:
    verdict = archive.judge(data)
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {code})


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([], PASSED),
        (["note", "warning"], PASSED),
        (["doubt", "warning"], CANNOT_TELL),
        (["doubt", "failure"], FAILED),
    ],
)
def test_the_worst_finding_decides(severities, expected) -> None:
    made = {"note": note, "warning": warning_, "doubt": doubt, "failure": failure}
    findings = tuple(made[each](each, "某", "some") for each in severities)
    assert indication_of(findings) is expected


def warning_(code: str, zh: str, en: str) -> Finding:
    return Finding(code=code, severity="warning", zh=zh, en=en)


def test_the_sub_indication_is_that_of_the_worst() -> None:
    findings = (doubt("a", "甲", "a", "TRY_LATER"), failure("b", "乙", "b"), failure("c", "丙", "c", "HASH_FAILURE"))
    assert sub_indication_of(findings) == "HASH_FAILURE"
    assert sub_indication_of(findings[:1]) == "TRY_LATER"
    assert sub_indication_of(()) is None
