"""Facts become restricted JSON and come back the same; no facts at all can make a rule raise."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.facts import Facts, ItemKey, from_json, to_json
from policies.rulesets import RULE_SETS, decide

st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
ANY_FACTS = st.from_type(Facts)
SLOW = settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)


@SLOW
@given(ANY_FACTS)
def test_any_facts_survive_json(facts: Facts) -> None:
    assert from_json(Facts, json.loads(json.dumps(to_json(facts)))) == facts


@SLOW
@given(ANY_FACTS)
def test_every_rule_answers_whatever_the_facts(facts: Facts) -> None:
    decision = decide(facts)
    assert len(decision.findings) == len(RULE_SETS[decision.rule_set])
    assert all(each.zh and each.en for each in decision.findings)
    assert decide(facts) == decision


def test_complete_facts_survive_json_and_decide_the_same(city_county: Facts, county_township: Facts) -> None:
    for facts in (city_county, county_township):
        again = from_json(Facts, json.loads(json.dumps(to_json(facts))))
        assert again == facts
        assert decide(again) == decide(facts)


def test_facts_in_json_are_text_truth_and_whole_numbers(county_township: Facts) -> None:
    body = to_json(county_township)
    assert body["now"] == "2026-11-23T09:00:00+00:00"
    assert body["request"]["facts"] == {"volume_m3": "22.5", "trees": 150, "own_plot": True}
    assert body["agreement"]["items"] == [{"list": "002-2", "number": 12}]
    assert body["certificate"]["not_after"] == "2027-11-23T09:00:00+00:00"
    assert to_json(replace(county_township, setup=None))["setup"] is None


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        (ItemKey, {"list": "001-2"}, KeyError),
        (ItemKey, None, TypeError),
        (datetime, "yesterday", ValueError),
        (datetime, 1, TypeError),
    ],
)
def test_what_is_no_json_of_facts_is_an_error(kind: type, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        from_json(kind, value)
