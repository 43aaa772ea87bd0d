"""The principal's approval: whose, of what exactly, how strong, how fresh."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts, ItemKey, ManifestLine, Period, RoleFacts

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]
NewRole = Callable[..., RoleFacts]

COUNTY = "11360732TEST00002X"
TICK = timedelta(microseconds=1)
HEADS = {"behalf_leads": (Period(valid_from=datetime(2020, 1, 1, tzinfo=UTC), valid_until=None),)}
OTHER_DIGEST = "sha256:" + "cd" * 32


def test_evidence_that_does_not_verify_approves_nothing(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(
        city_county,
        {"approval.evidence_valid": False, "approval.evidence_error": "signature does not verify"},
    )
    finding = find(facts, "principal_approved")
    assert not finding.passed
    assert "(signature does not verify)" in finding.en
    facts = change(facts, {"approval.evidence_error": None})
    assert "(no reason given)" in find(facts, "principal_approved").en


def test_an_unregistered_approver_is_no_principal(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"approval.principal": None}), "principal_approved")
    assert not finding.passed
    assert "审批人不是登记人员" in finding.zh


@pytest.mark.parametrize(
    ("kind", "changes", "on_behalf_of", "passes"),
    [
        ("principal", {}, None, True),
        ("principal", {"document": None}, None, True),
        ("principal", {"organ": "other"}, None, False),
        ("principal", {}, "human-head", False),
        ("acting_principal", {}, None, True),
        ("acting_principal", {"on_behalf_of": "human-head"}, None, True),
        ("acting_principal", {"on_behalf_of": "human-head"}, "human-head", True),
        ("acting_principal", {"on_behalf_of": "human-head"}, "human-else", False),
        ("deputy", {"on_behalf_of": "human-head"} | HEADS, "human-head", True),
        ("deputy", {"on_behalf_of": "human-head"}, "human-head", False),
        ("deputy", {"on_behalf_of": "human-head"} | HEADS, None, False),
        ("deputy", {"on_behalf_of": "human-head"} | HEADS, "human-else", False),
        ("deputy", {"on_behalf_of": "human-head", "document": None} | HEADS, "human-head", False),
        ("deputy", {"on_behalf_of": "human-head", "document": ""} | HEADS, "human-head", False),
        ("deputy", HEADS, None, False),
        ("seal_user", {}, None, False),
        ("custodian", {}, None, False),
    ],
)
def test_who_counts_as_principal(
    kind: str,
    changes: dict[str, Any],
    on_behalf_of: str | None,
    passes: bool,
    city_county: Facts,
    change: Change,
    find: Find,
    new_role: NewRole,
) -> None:
    facts = change(
        city_county,
        {
            "approval.principal.roles": (new_role(kind, **changes),),
            "approval.on_behalf_of": on_behalf_of,
        },
    )
    finding = find(facts, "principal_approved")
    assert finding.passed is passes
    if not passes:
        assert f"per-principal is not a principal or acting principal of {COUNTY}" in finding.en


@pytest.mark.parametrize(
    ("periods", "passes"),
    [
        ((), False),
        (((timedelta(hours=-1), TICK),), True),
        (((timedelta(hours=-1), timedelta(0)),), False),
        (((timedelta(minutes=-59), None),), False),
        (((timedelta(hours=-2), timedelta(hours=-1)), (timedelta(0), None)), False),
        (((timedelta(hours=-2), timedelta(minutes=-30)), (timedelta(0), None)), True),
    ],
)
def test_whom_a_deputy_acts_for_leads_when_it_is_approved_and_now(
    periods: tuple[tuple[timedelta, timedelta | None], ...],
    passes: bool,
    city_county: Facts,
    change: Change,
    find: Find,
    new_role: NewRole,
) -> None:
    now = city_county.now
    leads = tuple(
        Period(valid_from=now + start, valid_until=None if end is None else now + end) for start, end in periods
    )
    deputy = new_role("deputy", on_behalf_of="human-head", behalf_leads=leads)
    facts = change(city_county, {"approval.principal.roles": (deputy,), "approval.on_behalf_of": "human-head"})
    finding = find(facts, "principal_approved")
    assert finding.passed is passes
    assert passes or "who led the organ then" in finding.en


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (timedelta(hours=-1), TICK, None),
        (timedelta(minutes=-59), None, "at 2026-11-23T08:00:00Z"),
        (timedelta(hours=-2), timedelta(0), "at 2026-11-23T09:00:00Z"),
    ],
)
def test_the_principal_is_one_when_approving_and_now(
    start: timedelta,
    end: timedelta | None,
    told: str | None,
    city_county: Facts,
    change: Change,
    find: Find,
    new_role: NewRole,
) -> None:
    now = city_county.now
    role = new_role("principal", valid_from=now + start)
    role = replace(role, valid_until=None if end is None else now + end)
    finding = find(change(city_county, {"approval.principal.roles": (role,)}), "principal_approved")
    assert finding.passed is (told is None)
    assert (told or "shows that a principal") in finding.en


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("approval.grantee", "other", "the grantee in the approval is other"),
        ("approval.applicant", "per-else", "the applicant in the approval is per-else, expected per-user"),
        ("approval.seal", "sea-99", "the seal in the approval is sea-99, expected sea-11"),
        ("approval.agreement", "agr-9", "the agreement in the approval is agr-9"),
        ("approval.agreement_version", 2, "the agreement version in the approval is 2, expected 1"),
        ("approval.item", ItemKey(list="002-2", number=14), "002-2 no. 14, expected 002-2 no. 12"),
        ("approval.case_number", "2026112300019", "the case number in the approval is 2026112300019"),
        ("approval.basis", "renewal", "the basis in the approval is renewal, expected new"),
        ("approval.predecessor", "兴林采字1号", "the predecessor in the approval"),
        ("approval.facts", {}, "the facts in the approval is {}"),
        ("approval.facts", {"volume_m3": "22.50", "trees": 150, "own_plot": True}, '"22.50"'),
        ("approval.facts", {"volume_m3": "22.5", "trees": 150, "own_plot": 1}, '"own_plot": 1'),
        ("approval.final", False, "the final mark in the approval is False, expected True"),
        ("approval.manifest.0.digest", OTHER_DIGEST, "is not among the 1 that the approval lists"),
        ("approval.manifest.0.kind", "decision", "the kind in the approval is decision"),
        ("approval.manifest.0.copy", "duplicate 1", "the copy in the approval is duplicate 1"),
        ("approval.manifest.0.document_number", "13号", "the document number in the approval is 13号"),
        ("approval.manifest.0.licence_number", None, "the licence number in the approval is （无）"),
        ("approval.manifest.0.placement", "{}", "the placement in the approval is {}"),
        ("approval.manifest", (), "is not among the 0"),
        ("document.digest", OTHER_DIGEST, "is not among the 1"),
        ("request.document_number", None, "expected （无）"),
        ("request.licence_number", None, "expected （无）"),
    ],
)
def test_an_approval_is_of_one_use_of_one_document(
    path: str, value: object, told: str | None, county_township: Facts, change: Change, find: Find
) -> None:
    finding = find(change(county_township, {path: value}), "principal_approved")
    assert not finding.passed
    assert told in finding.en
    assert "；" not in finding.zh


def test_numbers_are_bound_as_they_read(county_township: Facts, change: Change, find: Find) -> None:
    facts = change(
        county_township,
        {
            "approval.manifest.0.document_number": "兴林采决［2026］ 12号",
            "approval.manifest.0.licence_number": "兴林采字(2026)0012号",
            "approval.case_number": "２０２６１１２３０００１８",
        },
    )
    assert find(facts, "principal_approved").passed


def test_one_line_of_a_manifest_must_fit_whole(city_county: Facts, change: Change, find: Find) -> None:
    """A case's papers may be approved together; a line for the digest and another for the kind is none."""
    line = city_county.approval.manifest[0]
    other = ManifestLine(
        digest=OTHER_DIGEST,
        kind="decision",
        copy="original",
        document_number="赣市行审特设〔2026〕17号",
        licence_number=None,
        placement=line.placement,
    )
    together = change(city_county, {"approval.manifest": (other, line)})
    assert find(together, "principal_approved").passed
    wrong = change(city_county, {"approval.manifest": (replace(other, kind="licence"), replace(line, kind="notice"))})
    finding = find(wrong, "principal_approved")
    assert not finding.passed
    assert "the kind in the approval is notice, expected licence" in finding.en


def test_the_nearest_line_of_a_digest_is_told(city_county: Facts, change: Change, find: Find) -> None:
    line = city_county.approval.manifest[0]
    far = replace(line, kind="decision", copy="duplicate 1", placement="{}")
    near = replace(line, copy="duplicate 2")
    finding = find(change(city_county, {"approval.manifest": (far, near)}), "principal_approved")
    assert finding.en == "the copy in the approval is duplicate 2, expected original as in this use"


@pytest.mark.parametrize(
    ("path", "offset", "passes"),
    [
        ("approval.not_before", timedelta(0), True),
        ("approval.not_before", TICK, False),
        ("approval.expires", TICK, True),
        ("approval.expires", timedelta(0), False),
        ("approval.fresh_until", TICK, True),
        ("approval.fresh_until", timedelta(0), False),
    ],
)
def test_an_approval_is_fresh_until_the_earlier_of_two_ends(
    path: str, offset: timedelta, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {path: city_county.now + offset})
    finding = find(facts, "approval_fresh")
    assert finding.passed is passes
    assert finding.source == "inference"
    if not passes:
        assert "现在是 2026-11-23T09:00:00Z" in finding.zh


@pytest.mark.parametrize(("used_by", "passes"), [(None, True), ("app-1", True), ("app-2", False)])
def test_an_approval_serves_one_application(
    used_by: str | None, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, {"approval.used_by": used_by}), "approval_fresh")
    assert finding.passed is passes
    assert "another application" in finding.en


@pytest.mark.parametrize(
    ("weakest", "cap", "today", "told"),
    [
        ("person_signed", 5, 0, "the approval is system_attested, expected person_signed by the agreement"),
        ("system_attested", None, 0, "the agreement sets no daily cap"),
        ("system_attested", 5, 4, None),
        ("system_attested", 5, 5, "5 system_attested approvals were used today, expected fewer than 5"),
        ("system_attested", 0, 0, "expected fewer than 0"),
    ],
)
def test_the_system_may_attest_within_its_cap(
    weakest: str,
    cap: int | None,
    today: int,
    told: str | None,
    city_county: Facts,
    change: Change,
    find: Find,
) -> None:
    facts = change(
        city_county,
        {
            "approval.assurance": "system_attested",
            "approval.system_attested_today": today,
            "agreement.weakest_assurance": weakest,
            "agreement.system_attested_daily_cap": cap,
        },
    )
    finding = find(facts, "approval_assurance")
    assert finding.passed is (told is None)
    assert (told or "4 system_attested approvals were used today, below the cap of 5") in finding.en


@pytest.mark.parametrize("weakest", ["person_signed", "system_attested"])
def test_a_persons_signature_is_always_strong_enough(
    weakest: str, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {"agreement.weakest_assurance": weakest, "approval.system_attested_today": 99})
    assert find(facts, "approval_assurance").passed
