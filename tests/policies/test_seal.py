"""The seal: its state, whose it is, its number and name, its daily number."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]


@pytest.mark.parametrize(
    ("state", "zh"),
    [("pending", "待启用"), ("suspended", "停用"), ("cancelled", "注销"), ("destroyed", "销毁")],
)
def test_only_an_active_seal_is_used(state: str, zh: str, city_county: Facts, change: Change, find: Find) -> None:
    finding = find(change(city_county, {"seal.state": state}), "seal_active")
    assert not finding.passed
    assert finding.zh == f"印章 赣州市行政审批局行政审批专用章（12） 的状态为{zh}，应为启用"
    assert finding.en.endswith(f"is {state}, expected active")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("seal.owner", "another", "the seal's owner is another"),
        ("seal.agreement", "agr-2", "the seal's agreement is agr-2, expected agr-county-1"),
        ("grantor.code", "another", "the grantor is another"),
        ("grantee.code", "another", "the grantee is another"),
        ("setup.regime", "city_county", "the setup row is for city_county 360732201"),
        ("setup.region", "360732100", "expected county_township 360732201"),
        ("setup.number", 35, "the seal's number is 11, expected 35"),
        ("seal.number", 35, "the seal's number is 35, expected 11"),
        ("seal.name", "兴国县行政审批局行政审批专用章（11）", "expected 兴国县林业局行政审批专用章（11）"),
        ("seal.name", "兴国县林业局行政审批专用章（35）", "expected 兴国县林业局行政审批专用章（11）"),
        ("seal.name", "兴国县林业局行政审批专用章(11)", "expected only Chinese characters"),
        ("seal.name", "兴国县林业局行政审批专用章 （11）", "expected only Chinese characters"),
        ("seal.name", "兴国县⺠政局行政审批专用章（11）", "expected only Chinese characters"),
    ],
)
def test_the_seal_is_the_one_set_up_for_this_grantee(
    path: str, value: object, told: str | None, county_township: Facts, change: Change, find: Find
) -> None:
    finding = find(change(county_township, {path: value}), "seal_fits_grantee")
    assert not finding.passed
    assert told in finding.en
    assert finding.source == "[002 附件3-1]"


def test_the_right_number_of_the_wrong_bureau_does_not_fit(county_township: Facts, change: Change, find: Find) -> None:
    bureau = "11360732TEST00002X"
    facts = change(county_township, {"seal.owner": bureau, "seal.name": "兴国县行政审批局行政审批专用章（11）"})
    finding = find(facts, "seal_fits_grantee")
    assert not finding.passed
    assert f"印章所属单位为 {bureau}" in finding.zh
    assert "印章名称为 兴国县行政审批局行政审批专用章（11）" in finding.zh


def test_a_fitting_seal_is_told_with_its_organs(county_township: Facts, find: Find) -> None:
    finding = find(county_township, "seal_fits_grantee")
    assert finding.zh == "印章 兴国县林业局行政审批专用章（11） 属于 兴国县林业局，编号与 兴国县兴江乡人民政府 相符"


@pytest.mark.parametrize(
    ("cap", "used", "passes"),
    [(None, 10_000, True), (20, 0, True), (20, 19, True), (20, 20, False), (20, 21, False), (0, 0, False)],
)
def test_the_daily_number_is_not_exceeded(
    cap: int | None, used: int, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {"seal.daily_cap": cap, "seal.used_today": used})
    finding = find(facts, "daily_cap")
    assert finding.passed is passes
    if cap is not None:
        assert f"今日已用 {used} 次" in finding.zh
        assert str(cap) in finding.en
