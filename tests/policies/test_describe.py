"""The list of rules that documents and people read."""

import pytest

from policies.describe import describe
from policies.rulesets import CURRENT, RULE_SETS, UnknownRuleSetError


def test_every_rule_is_described_in_order() -> None:
    listed = describe()
    assert [each.code for each in listed] == [rule.code for rule in RULE_SETS[CURRENT]]
    assert listed[0].must_hold == "The seal is active: not pending, suspended, cancelled or destroyed."
    assert listed[0].city_county == "[000 二(四)] [001 四(五)]"
    assert listed[0].county_township == "[002 附件3 二.4]"
    assert all(each.must_hold.endswith(".") for each in listed)


def test_codes_are_unique() -> None:
    for rules in RULE_SETS.values():
        codes = [rule.code for rule in rules]
        assert len(codes) == len(set(codes))


def test_an_unknown_rule_set_cannot_be_described() -> None:
    with pytest.raises(UnknownRuleSetError):
        describe("none")
