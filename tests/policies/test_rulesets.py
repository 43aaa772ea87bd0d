"""Deciding: every rule runs, a missing fact refuses, nothing checked refuses, more failing never allows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.decision import Finding
from policies.facts import Facts, HoursFacts
from policies.rulesets import CURRENT, RULE_SETS, PolicyError, UnknownRuleSetError, decide, judge

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]

TABLE = [
    "seal_active",
    "seal_fits_grantee",
    "agreement_in_force",
    "item_listed",
    "item_delegable",
    "item_implementer",
    "item_region",
    "item_condition",
    "in_grantors_name",
    "caller_for_grantee",
    "applicant_is_seal_user",
    "custodian_named",
    "principal_approved",
    "approval_fresh",
    "approval_assurance",
    "two_persons",
    "numbers_given",
    "document_states_facts",
    "key_certified",
    "document_sealable",
    "filed_with_grantor",
    "daily_cap",
    "monthly_cap",
    "working_hours",
    "allowed_network",
]

NEEDS = {
    "seal_active": "seal",
    "seal_fits_grantee": "seal agreement setup grantor grantee",
    "agreement_in_force": "agreement",
    "item_listed": "agreement",
    "item_delegable": "item agreement",
    "item_implementer": "item agreement",
    "item_region": "item grantee",
    "item_condition": "item",
    "in_grantors_name": "grantor grantee document",
    "caller_for_grantee": "agreement",
    "applicant_is_seal_user": "applicant agreement",
    "custodian_named": "seal agreement",
    "principal_approved": "approval agreement seal document",
    "approval_fresh": "approval",
    "approval_assurance": "approval agreement",
    "two_persons": "applicant approval agreement",
    "numbers_given": "item number_conflicts",
    "document_states_facts": "document item",
    "key_certified": "certificate agreement",
    "document_sealable": "document",
    "filed_with_grantor": "agreement",
    "daily_cap": "seal",
    "monthly_cap": "limits",
    "working_hours": "limits",
    "allowed_network": "limits",
}

FACTS = sorted({name for names in NEEDS.values() for name in names.split()})

BREAKING = {
    "seal.state": "suspended",
    "seal.number": 35,
    "seal.custodian": None,
    "agreement.state": "ended",
    "agreement.items": (),
    "item.mode": "window_forward",
    "item.implementing_organ": "another",
    "item.regions": (),
    "item.bases": (),
    "document.issuer_line": "兴国县某局",
    "caller.organs": (),
    "applicant.roles": (),
    "approval.evidence_valid": False,
    "approval.used_by": "app-other",
    "approval.assurance": "system_attested",
    "approval.principal": None,
    "request.document_number": None,
    "document.statements": (),
    "certificate.revoked": True,
    "document.pages": 0,
    "agreement.filing_required": True,
    "seal.daily_cap": 0,
    "setup": None,
    "number_conflicts": None,
    "limits.monthly_cap": 0,
    "limits.networks": ("198.51.100.0/24",),
    "limits.hours": HoursFacts(
        opens="08:30", closes="17:00", working_days_only=False, day="2026-11-23", working_day=True
    ),
}


@pytest.mark.parametrize("regime", ["city_county", "county_township"])
def test_a_complete_use_is_allowed(regime: str, request: pytest.FixtureRequest) -> None:
    decision = decide(request.getfixturevalue(regime))
    assert [each.code for each in decision.refusals] == []
    assert decision.allowed
    assert decision.rule_set == CURRENT == "2026-12"


def test_the_current_rules_are_those_of_the_table(city_county: Facts) -> None:
    assert [each.code for each in decide(city_county).findings] == TABLE


@pytest.mark.parametrize("regime", ["city_county", "county_township"])
def test_each_finding_has_both_languages_and_the_regimes_own_clause(
    regime: str, request: pytest.FixtureRequest
) -> None:
    other = {"city_county": "[002", "county_township": "[000"}[regime]
    for finding in decide(request.getfixturevalue(regime)).findings:
        assert finding.zh
        assert finding.en
        assert finding.zh != finding.en
        assert finding.source
        assert other not in finding.source


def test_sources_follow_the_agreement(city_county: Facts, county_township: Facts, change: Change, find: Find) -> None:
    assert find(city_county, "principal_approved").source == "[000 二(二)]"
    assert find(county_township, "principal_approved").source == "[002 附件3 二.2]"
    nameless = change(city_county, {"agreement": None})
    assert find(nameless, "principal_approved").source == "[000 二(二)] / [002 附件3 二.2]"
    assert find(nameless, "daily_cap").source == "setting"


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("code", TABLE)
def test_a_missing_fact_fails_just_the_rules_that_need_it(
    code: str, fact: str, county_township: Facts, change: Change, find: Find
) -> None:
    finding = find(change(county_township, {fact: None}), code)
    needed = fact in NEEDS[code].split()
    assert finding.passed is not needed
    if needed:
        assert finding.en == f"facts needed for this rule are missing: {fact}"
        assert finding.zh.startswith("缺少判断所需的事实：")


def test_all_missing_facts_are_named(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"grantor": None, "setup": None}), "seal_fits_grantee")
    assert finding.zh == "缺少判断所需的事实：设置表中的编号、授权（委托）单位"
    assert finding.en.endswith("setup, grantor")


def test_no_rules_refuse(city_county: Facts) -> None:
    decision = judge(city_county, (), "empty")
    assert decision.findings == ()
    assert not decision.allowed


def test_an_unknown_rule_set_is_an_error_and_not_a_refusal(city_county: Facts) -> None:
    with pytest.raises(UnknownRuleSetError) as caught:
        decide(city_county, "2026-10")
    assert isinstance(caught.value, PolicyError)
    assert caught.value.code == "rule-set-unknown"
    assert str(caught.value) == (
        "没有规则集 2026-10，应为其中之一：2026-11, 2026-12 / no rule set 2026-10, expected one of: 2026-11, 2026-12"
    )


def test_one_refusal_does_not_stop_the_others(city_county: Facts, change: Change) -> None:
    refused = decide(change(city_county, {"seal.state": "suspended", "agreement.state": "suspended"}))
    assert [each.code for each in refused.refusals] == ["seal_active", "agreement_in_force"]
    assert len(refused.findings) == len(TABLE)


@pytest.mark.parametrize("path", BREAKING)
def test_each_breaking_change_breaks(path: str, county_township: Facts, change: Change) -> None:
    assert not decide(change(county_township, {path: BREAKING[path]})).allowed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=st.sampled_from(sorted(BREAKING)), more=st.sets(st.sampled_from(sorted(BREAKING))))
def test_a_failing_fact_added_never_allows(
    first: str, more: set[str], city_county: Facts, county_township: Facts, change: Change
) -> None:
    ordered = sorted({first, *more})
    for facts in (city_county, county_township):
        decision = decide(change(facts, {path: BREAKING[path] for path in ordered}))
        assert not decision.allowed
        assert decision.refusals


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, len(TABLE)))
def test_a_failing_rule_added_never_allows(place: int, city_county: Facts) -> None:
    def never(_: Facts) -> Finding:
        return Finding(code="never", passed=False, zh="否", en="no", source="inference")

    rules = list(RULE_SETS[CURRENT])
    rules.insert(place, never)
    assert not judge(city_county, rules, "test").allowed


def test_time_alone_ends_what_was_allowed(city_county: Facts) -> None:
    later = replace(city_county, now=city_county.now + timedelta(days=800))
    assert {each.code for each in decide(later).refusals} == {
        "agreement_in_force",
        "approval_fresh",
        "key_certified",
    }
