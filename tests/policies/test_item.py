"""The item: listed, delegated so that a seal may be used, the grantor's, open here, in condition."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import ConditionFacts, Facts, ItemKey

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]


def test_only_items_the_agreement_names(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"request.item": ItemKey(list="001-2", number=29)})
    finding = find(facts, "item_listed")
    assert not finding.passed
    assert finding.en == ("item 001-2 no. 29 is not among the 2 items of agreement agr-city-1, expected one of them")


def test_the_same_number_of_another_list_is_another_item(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"request.item": ItemKey(list="001-3", number=30)})
    assert not find(facts, "item_listed").passed
    assert find(city_county, "item_listed").passed


@pytest.mark.parametrize(
    ("regime", "mode", "passes"),
    [
        ("city_county", "substantive_review", True),
        ("city_county", "direct", False),
        ("city_county", "window_forward", False),
        ("city_county", "no2_seal", False),
        ("county_township", "no2_seal", True),
        ("county_township", "assisted", False),
        ("county_township", "system_extension", False),
        ("county_township", "substantive_review", False),
    ],
)
def test_one_mode_of_each_regime_carries_the_seal(
    regime: str, mode: str, passes: bool, request: pytest.FixtureRequest, change: Change, find: Find
) -> None:
    facts = change(request.getfixturevalue(regime), {"item.mode": mode})
    finding = find(facts, "item_delegable")
    assert finding.passed is passes
    assert f"delegated as {mode}" in finding.en


def test_gas_licence_may_change_but_not_begin(city_county: Facts, change: Change, find: Find) -> None:
    """燃气经营许可证新办 is window-forward [001 附件3 no. 38]; 变更 [001 附件2 no. 28] is not."""
    key = ItemKey(list="001-3", number=38)
    facts = change(
        city_county,
        {
            "request.item": key,
            "item.key": key,
            "item.name": "燃气经营许可证新办",
            "item.mode": "window_forward",
        },
    )
    finding = find(facts, "item_delegable")
    assert finding.zh == "燃气经营许可证新办 的办理方式为服务窗口前移，只有下放实质性审核权事项可用“2号章”"
    assert not find(facts, "item_listed").passed


@pytest.mark.parametrize(("kind", "passes"), [("licence", True), ("decision", True), ("notice", False)])
def test_the_document_kind_is_one_of_the_items(
    kind: str, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, {"request.document_kind": kind}), "item_delegable")
    assert finding.passed is passes
    if not passes:
        assert "该事项可用的类型是：决定书、不予许可决定书、证照" in finding.zh
        assert "the document is a notice, expected one of decision, refusal, licence" in finding.en


def test_the_catalogue_row_is_that_of_the_item_asked_for(city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"item.key": ItemKey(list="001-2", number=28)}), "item_delegable")
    assert not finding.passed
    assert "the catalogue row is 001-2 no. 28, expected 001-2 no. 30" in finding.en


@pytest.mark.parametrize(
    ("organ", "told"),
    [
        ("11360732TEST00009X", "implemented by 11360732TEST00009X, expected the agreement's grantor"),
        (None, "no registered organ is known"),
    ],
)
def test_the_items_implementer_is_the_grantor(
    organ: str | None, told: str | None, county_township: Facts, change: Change, find: Find
) -> None:
    finding = find(change(county_township, {"item.implementing_organ": organ}), "item_implementer")
    assert not finding.passed
    assert told in finding.en
    assert finding.source == "[002 附件2]"


@pytest.mark.parametrize(
    ("regions", "passes"),
    [(None, True), (("360732201",), True), (("360732100", "360732101"), False), ((), False)],
)
def test_pilot_townships(
    regions: tuple[str, ...] | None, passes: bool, county_township: Facts, change: Change, find: Find
) -> None:
    finding = find(change(county_township, {"item.regions": regions}), "item_region")
    assert finding.passed is passes
    assert "360732201" in finding.en


@pytest.mark.parametrize(
    ("bases", "passes"),
    [(None, True), (("renewal",), True), (("new", "renewal"), True), (("new",), False), ((), False)],
)
def test_some_items_are_open_to_renewal_only(
    bases: tuple[str, ...] | None, passes: bool, county_township: Facts, change: Change, find: Find
) -> None:
    """延续 only: [002 附件2] nos. 22 and 23."""
    facts = change(county_township, {"item.bases": bases, "request.basis": "renewal"})
    finding = find(facts, "item_condition")
    assert finding.passed is passes
    if not passes:
        assert "申请类别为延续" in finding.zh


def _condition(outcome: object, error: str | None = None) -> ConditionFacts:
    return ConditionFacts(expression="volume_m3 >= 15.0", outcome=outcome, error=error)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (None, None),
        (_condition(True), None),
        (_condition(False), "do not meet the condition volume_m3 >= 15.0"),
        (_condition(None), "could not be evaluated (no outcome)"),
        (_condition(None, "no such field"), "could not be evaluated (no such field)"),
        (_condition(True, "warned"), "could not be evaluated (warned)"),
        (_condition(1), "do not meet the condition"),
    ],
)
def test_anything_but_true_refuses(
    condition: ConditionFacts | None, told: str | None, county_township: Facts, change: Change, find: Find
) -> None:
    finding = find(change(county_township, {"item.condition": condition}), "item_condition")
    assert finding.passed is (told is None)
    if told:
        assert told in finding.en


def test_basis_and_condition_are_both_told(county_township: Facts, change: Change, find: Find) -> None:
    facts = change(county_township, {"item.condition": _condition(False), "item.bases": ()})
    finding = find(facts, "item_condition")
    assert finding.en.startswith("the basis is new, expected one of: none; the declared facts")
    assert "该事项只办理：无；申报的事实不满足条件" in finding.zh
