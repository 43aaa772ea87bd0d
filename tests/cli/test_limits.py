"""Limits of a seal and alerts from the command line."""

import pytest

WHY = ("--why", "测试原因")


def test_limits_are_set_one_by_one_and_lifted(desk):
    seal = desk.world.seals["town"]
    first = ("--daily-cap", 9, "--monthly-cap", 90, "--hours", "08:30-18:00", "--working-days-only")
    made = desk.json("grant", "policy", seal, *first, *WHY)
    assert (made["daily_cap"], made["limits"]["monthly_cap"], made["level"]) == (9, 90, "PAdES-B-B")
    assert made["limits"]["working_hours"] == {"from": "08:30", "until": "18:00", "working_days_only": True}

    more = ("--network", "10.8.0.0/16", "--network", "2001:db8::/32", "--burst-floor", 4, "--suspend-on-burst")
    made = desk.json("grant", "policy", seal, *more, "--every-day", "--lift", "daily-cap", *WHY)
    assert (made["daily_cap"], made["limits"]["monthly_cap"]) == (None, 90)
    assert made["limits"]["networks"] == ["10.8.0.0/16", "2001:db8::/32"]
    assert made["limits"]["working_hours"] == {"from": "08:30", "until": "18:00", "working_days_only": False}
    assert (made["limits"]["burst_floor"], made["limits"]["suspend_on_burst"]) == (4, True)

    lifted = [each for name in ("monthly-cap", "hours", "network", "burst-floor") for each in ("--lift", name)]
    made = desk.json("grant", "policy", seal, *lifted, "--alert-only", *WHY)
    assert made["limits"] == {
        "monthly_cap": None,
        "working_hours": None,
        "networks": [],
        "burst_floor": None,
        "suspend_on_burst": False,
    }


@pytest.mark.parametrize(
    ("options", "code", "error"),
    [
        (("--hours", "08:30"), 1, "record-invalid"),
        (("--network", "10.8.0.1/16"), 1, "record-invalid"),
        (("--monthly-cap", 0), 1, "record-invalid"),
        (("--working-days-only",), 2, "hours-missing"),
        (("--lift", "week"), 2, "limit-unknown"),
        (("--lift", "monthly-cap", "--monthly-cap", 5), 2, "limit-set-and-lifted"),
    ],
    ids=["hours", "network", "cap", "days-without-hours", "unknown", "both"],
)
def test_a_limit_that_cannot_be_is_not_set(desk, options, code, error):
    seal = desk.world.seals["forest"]
    assert desk.error("grant", "policy", seal, *options, *WHY) == (code, error)
    assert desk.json("grant", "show", seal)["limits"]["monthly_cap"] is None


def test_no_alerts_are_an_empty_list(desk):
    assert desk.json("alerts") == {"alerts": []}
    assert desk.run("alerts").code == 0
