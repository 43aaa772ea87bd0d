"""Entries that are really in the log, but say something else than file, certificate or approval do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from world import START

from verify.approval import judge_approval
from verify.ledger_evidence import named, opened
from verify.trust import log_key_hash
from verify.verdict import Indication, Verdict

PASSED, CANNOT_TELL, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
Against = Callable[[Verdict], set[str]]
OTHER = "sha256:" + "0" * 64


def test_a_forged_entry_that_changes_nothing_passes(archive) -> None:
    """The tests below fail for what they change, and for nothing else."""
    assert archive.judge(archive.final.path, archive.forge(archive.final)).indication is PASSED


@pytest.mark.parametrize(
    "changed",
    [
        {"sealed_digest": OTHER},
        {"sealed_length": 1},
        {"source_digest": OTHER},
        {"source_length": 5},
        {"source_length": 10**9},
        {"source_length": "9"},
    ],
)
def test_an_entry_about_other_bytes_fails(archive, against: Against, changed) -> None:
    receipt = archive.forge(archive.final, document=changed)
    verdict = archive.judge(archive.final.path, receipt)
    assert verdict.indication is FAILED
    assert "receipt_of_another_file" in against(verdict)


@pytest.mark.parametrize(
    "changed",
    [
        {"agreement": "另一协议"},
        {"agreement_version": 2},
        {"terms_digest": OTHER},
        {"grantor_code": "113600000000000000"},
        {"grantee_code": "113600000000000000"},
        {"seal_name": "另一印章（12）"},
        {"seal_number": 13},
        {"certificate_serial": "1"},
    ],
)
def test_an_entry_about_another_seal_fails(archive, against: Against, changed) -> None:
    verdict = archive.judge(archive.final.path, archive.forge(archive.final, seal=changed))
    assert verdict.indication is FAILED
    assert "seal_differs_from_certificate" in against(verdict)


@pytest.mark.parametrize("kind", ["seal.intended", "seal.refused", "opening.erased"])
def test_an_entry_of_another_kind_fails(archive, against: Against, kind) -> None:
    verdict = archive.judge(archive.final.path, archive.forge(archive.final, kind=kind))
    assert (verdict.indication, against(verdict)) == (FAILED, {"entry_not_an_impression"})


def test_an_entry_whose_decision_refused_fails(archive, against: Against) -> None:
    verdict = archive.judge(archive.final.path, archive.forge(archive.final, decision={"allowed": False}))
    assert (verdict.indication, against(verdict)) == (FAILED, {"use_was_not_allowed"})


@pytest.mark.parametrize(
    ("group", "changed", "named_as"),
    [
        ("case", {"item": "001-2 28"}, "item"),
        ("case", {"case_number": "另一办件"}, "case_number"),
        ("case", {"final": False}, "final"),
        ("numbers", {"document_number": "另一号"}, "document_number"),
        ("numbers", {"licence_number": "另一号"}, "licence_number"),
        ("persons", {"applicant": "per-x"}, "applicant"),
        ("persons", {"principal": "per-x"}, "principal"),
        ("approval", {"assurance": "system_attested"}, "assurance"),
        ("approval", {"id": "apv-x"}, "id"),
        ("seal", {"seal": "sea-x"}, "seal"),
    ],
)
def test_an_entry_that_the_approval_does_not_cover_fails(archive, against: Against, group, changed, named_as) -> None:
    verdict = archive.judge(archive.final.path, archive.forge(archive.final, **{group: changed}))
    assert (verdict.indication, against(verdict)) == (FAILED, {"approval_does_not_cover"})
    assert any(named_as in each.en for each in verdict.all_findings if each.code == "approval_does_not_cover")


def test_the_approval_of_another_document_fails(archive, against: Against) -> None:
    approval = opened(archive.other.receipt)["approval"]
    verdict = archive.judge(archive.final.path, archive.forge(archive.final, approval=approval))
    assert verdict.indication is FAILED
    assert against(verdict) == {"approval_does_not_cover"}
    assert any("manifest" in each.en for each in verdict.all_findings)


def test_an_approval_by_another_key_is_not_valid(archive, against: Against) -> None:
    key = opened(archive.attested.receipt)["approval"]["key"]
    own = opened(archive.final.receipt)["approval"]["key"]
    for wrong in (own | {"public_key": key["public_key"]}, key, own | {"kind": "organ"}, own | {"public_key": "*"}, {}):
        verdict = archive.judge(archive.final.path, archive.forge(archive.final, approval={"key": wrong}))
        assert (verdict.indication, against(verdict)) == (FAILED, {"approval_evidence_invalid"})


def test_a_changed_statement_is_not_valid(archive, against: Against) -> None:
    jws = opened(archive.final.receipt)["approval"]["jws"]
    head, payload, signature = jws.split(".")
    for wrong in (f"{head}.{payload}.{signature[::-1]}", f"{head}.{payload[::-1]}.{signature}", "", "a.b.c"):
        verdict = archive.judge(archive.final.path, archive.forge(archive.final, approval={"jws": wrong}))
        assert (verdict.indication, against(verdict)) == (FAILED, {"approval_evidence_invalid"})


def test_an_entry_without_a_statement_leaves_doubt(archive, against: Against) -> None:
    for approval in ({"jws": None}, None):
        verdict = archive.judge(archive.final.path, archive.forge(archive.final, approval=approval))
        assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"approval_evidence_missing"})


def test_an_approval_counts_only_in_its_time_and_for_its_log(archive) -> None:
    openings, origin = opened(archive.final.receipt), archive.trust.logs[0].origin
    in_time, _ = judge_approval(openings, audience=origin, sealed_at=START)
    late, _ = judge_approval(openings, audience=origin, sealed_at=START + timedelta(days=5))
    early, _ = judge_approval(openings, audience=origin, sealed_at=START - timedelta(seconds=1))
    elsewhere, facts = judge_approval(openings, audience="another.example/log", sealed_at=START)
    assert [each.code for each in in_time] == ["key_enrolment_operator_only"]
    assert late[0].code == early[0].code == "approval_does_not_cover"
    assert [each.code for each in elsewhere] == ["approval_evidence_invalid"]
    assert facts == {}


def test_openings_of_odd_shape_never_raise(archive) -> None:
    for group in ("document", "seal", "approval", "case", "decision", "application"):
        for odd in ([], "text", 5, None, {}, {"key": []}):
            receipt = archive.forge(archive.final, **{group: odd if not isinstance(odd, dict) else None})
            verdict = archive.judge(archive.final.path, receipt)
            assert verdict.signatures
            assert "judging_failed" not in {each.code for each in verdict.all_findings}


def test_what_a_receipt_claims_to_be_about(archive) -> None:
    document = opened(archive.final.receipt)["document"]
    assert named(archive.final.receipt) == {document["byte_range_digest"], document["sealed_digest"]}
    assert named(archive.abandoned.receipt) == {opened(archive.abandoned.receipt)["application"]["to_be_signed"]}


def test_the_log_is_named_as_in_the_certificate(archive) -> None:
    verdict = archive.judge(archive.final.path, archive.final.receipt)
    assert verdict.signatures[0].ledger["log_key_hash"] == log_key_hash(archive.trust.logs[0])
