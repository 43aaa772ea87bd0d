"""Who calls, who asks, who keeps the seal, and that one person never does both."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts, Period, RoleFacts

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]
NewRole = Callable[..., RoleFacts]

COUNTY = "11360732TEST00002X"
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("caller.organs", ("other",), "may act for other, expected the grantee"),
        ("caller.organs", (), "may act for no organ"),
        ("request.organ", None, "the request names organ (none)"),
        ("request.organ", "11360700TEST00001X", "the request names organ 11360700TEST00001X"),
        ("request.applicant", None, "names no applicant"),
        ("request.applicant", "", "names no applicant"),
    ],
)
def test_the_caller_acts_for_the_grantee(
    path: str, value: object, told: str | None, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, {path: value}), "caller_for_grantee")
    assert not finding.passed
    assert told in finding.en
    assert finding.source == "[000 三(二)5]"


def test_one_platform_may_serve_many_grantees(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"caller.organs": ("other", COUNTY)})
    assert find(facts, "caller_for_grantee").passed


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"role": "deputy"}, False),
        ({"role": "principal"}, False),
        ({"organ": "other"}, False),
        ({"document": None}, True),
    ],
)
@pytest.mark.parametrize(
    ("path", "kind_and_code"),
    [
        ("applicant.roles", ("seal_user", "applicant_is_seal_user")),
        ("seal.custodian.roles", ("custodian", "custodian_named")),
    ],
)
def test_roles_of_applicant_and_custodian(
    changes: dict[str, Any],
    passes: bool,
    path: str,
    kind_and_code: tuple[str, str],
    city_county: Facts,
    change: Change,
    find: Find,
    new_role: NewRole,
) -> None:
    kind, code = kind_and_code
    role = replace(new_role(kind), **changes)
    finding = find(change(city_county, {path: (role,)}), code)
    assert finding.passed is passes
    assert COUNTY in finding.en or passes


@pytest.mark.parametrize(
    ("start", "end", "passes"),
    [
        (timedelta(0), None, True),
        (TICK, None, False),
        (-TICK, TICK, True),
        (-TICK, timedelta(0), False),
    ],
)
def test_a_role_includes_its_start_and_excludes_its_end(
    start: timedelta,
    end: timedelta | None,
    passes: bool,
    city_county: Facts,
    change: Change,
    find: Find,
    new_role: NewRole,
) -> None:
    now = city_county.now
    role = new_role("seal_user", valid_from=now + start, valid_until=None if end is None else now + end)
    finding = find(change(city_county, {"applicant.roles": (role,)}), "applicant_is_seal_user")
    assert finding.passed is passes


@pytest.mark.parametrize("named", ["per-other", None])
def test_the_person_on_record_is_the_applicant_named(
    named: str | None, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, {"request.applicant": named}), "applicant_is_seal_user")
    assert not finding.passed
    assert f"expected {named or '(none)'} as the request names" in finding.en


def test_a_seal_without_custodian_is_not_used(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"seal.custodian": None}), "custodian_named")
    assert not finding.passed
    assert "应指定专人保管" in finding.zh


def test_applicant_and_approver_differ(city_county: Facts, find: Find) -> None:
    finding = find(city_county, "two_persons")
    assert finding.passed
    assert "per-user" in finding.en
    assert "per-principal" in finding.en


def test_two_accounts_of_one_human_are_one_person(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"approval.principal.natural_person": "human-user"}), "two_persons")
    assert not finding.passed
    assert "是同一人或代表同一人" in finding.zh
    assert finding.source == "inference from [000 二(二)]"


def test_a_deputy_may_not_approve_for_the_applicant(
    city_county: Facts, change: Change, find: Find, new_role: NewRole
) -> None:
    always = Period(valid_from=city_county.now - timedelta(days=9), valid_until=None)
    deputy = new_role("deputy", on_behalf_of="human-user", behalf_leads=(always,))
    facts = change(city_county, {"approval.principal.roles": (deputy,), "approval.on_behalf_of": "human-user"})
    assert find(facts, "principal_approved").passed
    assert not find(facts, "two_persons").passed


def test_one_who_leads_for_the_applicant_may_not_approve(
    city_county: Facts, change: Change, find: Find, new_role: NewRole
) -> None:
    acting = new_role("acting_principal", on_behalf_of="human-user")
    facts = change(city_county, {"approval.principal.roles": (acting,)})
    assert find(facts, "principal_approved").passed
    assert not find(facts, "two_persons").passed


def test_who_asks_for_the_approver_may_not_ask(
    city_county: Facts, change: Change, find: Find, new_role: NewRole
) -> None:
    asking = new_role("seal_user", on_behalf_of="human-principal")
    assert not find(change(city_county, {"applicant.roles": (asking,)}), "two_persons").passed


def test_neither_side_may_act_for_the_same_third_person(
    city_county: Facts, change: Change, find: Find, new_role: NewRole
) -> None:
    facts = change(
        city_county,
        {
            "applicant.roles": (new_role("seal_user", on_behalf_of="human-head"),),
            "approval.principal.roles": (new_role("deputy", on_behalf_of="human-head"),),
            "approval.on_behalf_of": "human-head",
        },
    )
    assert not find(facts, "two_persons").passed


def test_a_deputy_who_only_asks_does_so_in_their_own_name(
    city_county: Facts, change: Change, find: Find, new_role: NewRole
) -> None:
    roles = (
        new_role("seal_user"),
        new_role("deputy", on_behalf_of="human-principal"),
    )
    assert find(change(city_county, {"applicant.roles": roles}), "two_persons").passed


def test_an_unknown_approver_cannot_be_told_from_the_applicant(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"approval.principal": None}), "two_persons")
    assert not finding.passed
    assert "not a registered person" in finding.en
