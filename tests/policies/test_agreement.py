"""The agreement behind the seal: its period, signatures, relation and prior filing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]

GRANTOR, GRANTEE = "11360700TEST00001X", "11360732TEST00002X"


@pytest.mark.parametrize("state", ["draft", "suspended", "ended", "recalled"])
def test_only_an_agreement_in_force_carries_a_use(state: str, city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"agreement.state": state}), "agreement_in_force")
    assert not finding.passed
    assert f"is {state}, expected in_force" in finding.en
    assert "应为生效" in finding.zh


@pytest.mark.parametrize(
    ("path", "offset", "passes"),
    [
        ("agreement.valid_from", timedelta(0), True),
        ("agreement.valid_from", timedelta(microseconds=1), False),
        ("agreement.valid_until", timedelta(microseconds=1), True),
        ("agreement.valid_until", timedelta(0), False),
    ],
)
def test_the_period_includes_its_start_and_excludes_its_end(
    path: str, offset: timedelta, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {path: city_county.now + offset})
    finding = find(facts, "agreement_in_force")
    assert finding.passed is passes
    if not passes:
        assert "now is 2026-11-23T09:00:00Z" in finding.en


@pytest.mark.parametrize(
    ("signed_by", "lacking"),
    [((), f"{GRANTOR}, {GRANTEE}"), ((GRANTOR,), GRANTEE), ((GRANTEE, "other"), GRANTOR)],
)
def test_both_organs_signed(
    signed_by: tuple[str, ...], lacking: str, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, {"agreement.signed_by": signed_by}), "agreement_in_force")
    assert not finding.passed
    assert f"lacks the signature of {lacking}," in finding.en


def test_signatures_may_stand_in_any_order(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"agreement.signed_by": (GRANTEE, GRANTOR)})
    assert find(facts, "agreement_in_force").passed


def test_the_two_sides_are_two_organs(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"agreement.grantee": GRANTOR}), "agreement_in_force")
    assert not finding.passed
    assert f"both sides of the agreement are {GRANTOR}" in finding.en


@pytest.mark.parametrize(
    ("regime", "relation", "word"),
    [("city_county", "entrustment", "授权"), ("county_township", "authorisation", "委托")],
)
def test_the_relation_fits_the_regime(
    regime: str, relation: str, word: str, request: pytest.FixtureRequest, change: Change, find: Find
) -> None:
    facts = change(request.getfixturevalue(regime), {"agreement.relation": relation})
    finding = find(facts, "agreement_in_force")
    assert not finding.passed
    assert finding.zh.endswith(f"应为{word}")
    assert f"the relation of a {regime} agreement is {relation}" in finding.en


def test_an_unknown_regime_fits_no_relation(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"agreement.regime": "province_city"})
    assert not find(facts, "agreement_in_force").passed
    assert not find(facts, "item_delegable").passed


def test_every_fault_of_the_agreement_is_told(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"agreement.state": "ended", "agreement.signed_by": ()})
    finding = find(facts, "agreement_in_force")
    assert finding.en.count("; ") == 1
    assert finding.zh.count("；") == 1


@pytest.mark.parametrize("number", [None, "备〔2026〕3号"])
def test_no_filing_is_asked_for_by_default(number: str | None, city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"request.filing_number": number}), "filed_with_grantor")
    assert finding.passed
    assert finding.source == "[001 三(二)]"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("备〔2026〕3号", None),
        ("9" * 64, None),
        (None, "no filing number is given"),
        ("", "no filing number is given"),
        ("　 ", "no filing number is given"),
        ("9" * 65, "has 65 characters, expected at most 64"),
        ("备\u202e3", "U+202E"),
        ("备А3", "CYRILLIC"),
    ],
)
def test_where_asked_for_the_filing_number_is_given(
    number: str | None, told: str | None, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {"agreement.filing_required": True, "request.filing_number": number})
    finding = find(facts, "filed_with_grantor")
    assert finding.passed is (told is None)
    assert (told or str(number)) in finding.en
