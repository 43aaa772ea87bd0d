"""Limits that a seal's owner sets: the month's number, the hours in Beijing, the networks of the caller."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.decision import Finding
from policies.facts import Facts, HoursFacts, LimitFacts, from_json, to_json
from policies.rulesets import decide

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
FREE = LimitFacts(monthly_cap=None, used_this_month=None, hours=None, networks=())
QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
CODES = ("monthly_cap", "working_hours", "allowed_network")


def hours(opens: str = "08:30", closes: str = "18:00", **changed: Any) -> HoursFacts:
    plain = HoursFacts(opens=opens, closes=closes, working_days_only=False, day="2026-11-23", working_day=True)
    return replace(plain, **changed)


def test_a_seal_without_limits_is_used_freely(city_county: Facts, find: Find) -> None:
    found = [find(city_county, code) for code in CODES]
    assert [each.passed for each in found] == [True] * 3
    assert [each.zh for each in found] == ["印章未设每月用章上限", "印章未设用章时段", "印章未限定网络"]
    assert {each.source for each in found} == {"setting"}


@pytest.mark.parametrize(
    ("cap", "used", "passes"),
    [(None, None, True), (20, 0, True), (20, 19, True), (20, 20, False), (20, 21, False), (20, None, False)],
)
def test_the_monthly_number_is_not_exceeded(
    cap: int | None, used: int | None, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, {"limits.monthly_cap": cap, "limits.used_this_month": used}), "monthly_cap")
    assert finding.passed is passes
    if cap is not None:
        assert str(cap) in finding.en
        assert f"本月已用 {used} 次" in finding.zh or used is None


@pytest.mark.parametrize(
    ("utc", "passes", "told"),
    [
        ("00:29", False, "it is 08:29 in Beijing, expected 08:30 until before 18:00"),
        ("00:30", True, "within the seal's hours: 08:30 until 18:00"),
        ("09:59", True, "within the seal's hours: 08:30 until 18:00"),
        ("10:00", False, "it is 18:00 in Beijing, expected 08:30 until before 18:00"),
        ("22:00", False, "it is 06:00 in Beijing, expected 08:30 until before 18:00"),
    ],
)
def test_the_hours_are_those_of_beijing(
    utc: str, passes: bool, told: str, city_county: Facts, change: Change, find: Find
) -> None:
    hour, minute = map(int, utc.split(":"))
    facts = change(city_county, {"now": MONDAY.replace(hour=hour, minute=minute), "limits.hours": hours()})
    finding = find(facts, "working_hours")
    assert (finding.passed, finding.en) == (passes, told)


def test_a_day_may_run_to_its_end(city_county: Facts, change: Change, find: Find) -> None:
    late = {"now": MONDAY.replace(hour=15, minute=59, second=59), "limits.hours": hours("00:00", "24:00")}
    assert find(change(city_county, late), "working_hours").passed


@pytest.mark.parametrize(
    ("day", "working_day", "passes", "told"),
    [
        ("2026-11-23", True, True, "工作日"),
        ("2026-11-23", False, False, "2026-11-23 不是工作日"),
        ("2026-11-23", None, False, "日历不能确定 2026-11-23 是否工作日"),
        ("2026-11-22", True, False, "日历不能确定 2026-11-23 是否工作日"),
    ],
)
def test_a_day_that_the_calendar_does_not_know_is_no_working_day(
    day: str, working_day: bool | None, passes: bool, told: str, city_county: Facts, change: Change, find: Find
) -> None:
    set_hours = hours(working_days_only=True, day=day, working_day=working_day)
    facts = change(city_county, {"now": MONDAY.replace(hour=2), "limits.hours": set_hours})
    finding = find(facts, "working_hours")
    assert finding.passed is passes
    assert told in finding.zh


def test_the_calendar_is_not_asked_where_every_day_counts(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(city_county, {"now": MONDAY.replace(hour=2), "limits.hours": hours(working_day=None)})
    assert find(facts, "working_hours").passed


@pytest.mark.parametrize(
    ("address", "networks", "passes"),
    [
        ("10.8.3.4", ("10.8.0.0/16",), True),
        ("10.9.3.4", ("10.8.0.0/16",), False),
        ("10.9.3.4", ("10.8.0.0/16", "10.9.3.4/32"), True),
        ("::ffff:10.8.3.4", ("10.8.0.0/16",), True),
        ("2001:db8:1::7", ("2001:db8:1::/48",), True),
        ("2001:db8:2::7", ("2001:db8:1::/48",), False),
        ("2001:db8:1::7", ("0.0.0.0/0",), False),
        ("10.8.3.4", ("::/0",), False),
        ("not an address", ("0.0.0.0/0", "::/0"), False),
        ("10.8.3.4", ("not a network",), False),
        (None, ("0.0.0.0/0", "::/0"), False),
        (None, (), True),
    ],
)
def test_the_caller_stands_in_a_network_of_the_seal(
    address: str | None, networks: tuple[str, ...], passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {"caller.address": address, "limits.networks": networks})
    assert find(facts, "allowed_network").passed is passes


def test_a_permitted_use_does_not_tell_where_it_came_from(city_county: Facts, change: Change, find: Find) -> None:
    inside = change(city_county, {"caller.address": "10.8.3.4", "limits.networks": ("10.8.0.0/16",)})
    finding = find(inside, "allowed_network")
    assert "10.8" not in finding.zh + finding.en

    outside = find(change(inside, {"caller.address": "203.0.113.9"}), "allowed_network")
    assert "203.0.113.9" in outside.en
    assert "10.8" not in outside.zh + outside.en


@QUIET
@given(cap=st.integers(1, 50), used=st.integers(0, 60), more=st.integers(0, 10))
def test_what_is_over_a_cap_stays_over_it(
    cap: int, used: int, more: int, city_county: Facts, change: Change, find: Find
) -> None:
    def passes(uses: int) -> bool:
        return find(
            change(city_county, {"limits.monthly_cap": cap, "limits.used_this_month": uses}), "monthly_cap"
        ).passed

    assert passes(used) is (used < cap)
    assert passes(used) or not passes(used + more)


@QUIET
@given(address=st.ip_addresses(), bits=st.integers(0, 128))
def test_an_address_is_in_the_networks_that_hold_it_and_in_no_other(
    address: Any, bits: int, city_county: Facts, change: Change, find: Find
) -> None:
    network = ip_network((address, min(bits, address.max_prefixlen)), strict=False)
    facts = change(city_county, {"caller.address": str(address), "limits.networks": (str(network),)})
    mapped = getattr(address, "ipv4_mapped", None)
    assert find(facts, "allowed_network").passed is (mapped is None)

    beside = ip_address(int(address) ^ (1 << (address.max_prefixlen - 1)))
    away = change(facts, {"caller.address": str(beside)})
    if network.prefixlen > 0:
        assert not find(away, "allowed_network").passed


@QUIET
@given(minutes=st.integers(0, 7 * 24 * 60), opens=st.integers(0, 23), long=st.integers(1, 24))
def test_hours_pass_exactly_between_their_ends(
    minutes: int, opens: int, long: int, city_county: Facts, change: Change, find: Find
) -> None:
    now = MONDAY + timedelta(minutes=minutes)
    closes = min(opens + long, 24)
    facts = change(city_county, {"now": now, "limits.hours": hours(f"{opens:02}:00", f"{closes:02}:00")})
    assert find(facts, "working_hours").passed is (opens <= (now.hour + 8) % 24 < closes)


def test_facts_recorded_before_there_were_limits_keep_their_form(city_county: Facts) -> None:
    old = replace(city_county, limits=None)
    recorded = to_json(old)
    assert "limits" not in recorded
    assert "address" not in recorded["caller"]
    assert from_json(Facts, recorded) == old
    assert decide(old, "2026-11").allowed
    assert [each.code for each in decide(old).refusals] == list(CODES)
