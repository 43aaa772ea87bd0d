"""Bursts: what is usual for a seal, the alert beside the use that goes beyond it, and the seal that stops itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from world import CITY, START

from ledger.moments import to_text
from registry.records import Seal, SealKey
from registry.seal_limits import ChosenLimits
from sealing.administration.seals import SealPolicy, change_state, set_policy
from sealing.alerts import WATCH, Alert, Selection, listed
from sealing.audit import audit
from sealing.bursts import WINDOW, Pattern, busiest_hour, hours_around
from sealing.tables import impressions

HOURS = st.integers(0, 23).map("2026-11-23T{:02}".format)


@pytest.fixture
def settings(settings):
    """Two uses in an hour are never a burst here, and an hour may have twice the busiest one."""
    return settings.model_copy(update={"burst_floor": 2, "burst_factor": 2, "unsafe_in_process_keys": True})


def limit(installed, **limits) -> None:
    policy = SealPolicy(level="PAdES-B-B", check_mark="none", limits=ChosenLimits(**limits))
    act = replace(installed.world.act("限量"), now=installed.clock())
    set_policy(installed.shop, installed.world.seals["city"], policy, act)


def seal(installed, sealer=None):
    submission = installed.world.submission("city", installed.folder)
    return (sealer or installed.sealer()).seal(submission, installed.caller)


def alerts(installed, **selected) -> list[Alert]:
    with installed.shop.database.read() as connection:
        return list(listed(connection, installed.shop, Selection(**selected)))


def states(installed) -> tuple[str, str | None]:
    seal_id = installed.world.seals["city"]
    with installed.shop.database.read() as connection:
        key = installed.shop.registry.find_one(connection, SealKey, seal=seal_id, current=True).record
        return installed.shop.registry.get(connection, Seal, seal_id).record.state, key.revoked_reason


def used_before(installed, uses: int, at: datetime) -> None:
    """Put ``uses`` of the seal into the past, as the index of impressions tells them."""
    done = [seal(installed).impression for _ in range(uses)]
    with installed.shop.database.write() as connection:
        connection.execute(update(impressions).where(impressions.c.id.in_(done)).values(impressed_at=to_text(at)))


def test_a_use_beyond_the_pattern_is_told_once_an_hour(installed):
    sealer = installed.sealer()
    outcomes = [seal(installed, sealer) for _ in range(4)]

    assert [each.state for each in outcomes] == ["sealed"] * 4
    (alert,) = alerts(installed)
    city = installed.world.codes[CITY]
    assert (alert.seal, alert.grantor, alert.impression) == (
        installed.world.seals["city"],
        city,
        outcomes[2].impression,
    )
    assert (alert.uses, alert.threshold, alert.floor, alert.factor, alert.busiest) == (3, 2, 2, 2, 0)
    assert (alert.client, alert.address, alert.suspended) == (installed.caller.client, None, False)
    kinds = installed.kinds()
    assert kinds[kinds.index("seal.alerted") - 1] == "seal.impressed"
    assert states(installed) == ("active", None)

    installed.clock.forward(WINDOW)
    for _ in range(3):
        seal(installed, sealer)
    assert len(alerts(installed)) == 2
    assert alerts(installed, after=alert.entry, seal=alert.seal)[0].uses == 3
    assert alerts(installed, seal=installed.world.seals["town"]) == []
    assert [each.code for each in audit(installed.shop, installed.clock())] == []


def test_a_seal_stops_itself_in_the_commit_of_the_use(installed):
    limit(installed, suspend_on_burst=True)
    outcomes = [seal(installed) for _ in range(4)]

    assert [each.state for each in outcomes] == ["sealed", "sealed", "sealed", "refused"]
    assert next(each["code"] for each in outcomes[3].findings if not each["passed"]) == "seal_active"
    kinds = installed.kinds()
    place = kinds.index("seal.alerted")
    assert kinds[place - 1 : place + 3] == ["seal.impressed", "seal.alerted", "seal.suspended", "seal_key.held"]
    assert states(installed) == ("suspended", "certificate_hold")
    assert alerts(installed)[0].suspended
    with installed.shop.database.read() as connection:
        book = installed.shop.book
        impressed, suspended = book.entry(connection, place - 1), book.entry(connection, place + 1)
    act = suspended.value("act")
    assert act["by"] == {"id": installed.shop.installation.id, "name": WATCH, "organ": None}
    assert "3 uses in one hour, beyond the usual 2" in act["why"]
    assert impressed.time < suspended.time

    change_state(
        installed.shop, installed.world.seals["city"], "resume", replace(installed.world.act(), now=installed.clock())
    )
    assert seal(installed).state == "sealed"
    assert len(alerts(installed)) == 1
    assert [each.code for each in audit(installed.shop, installed.clock())] == []


def test_nothing_of_an_alert_stays_when_the_use_is_not_recorded(installed):
    limit(installed, suspend_on_burst=True)
    seal(installed)
    seal(installed)

    class StoppedError(Exception):
        pass

    def stop(step):
        if step == "impression_written":
            raise StoppedError

    with pytest.raises(StoppedError):
        seal(installed, installed.sealer(at=stop))
    assert alerts(installed) == []
    assert states(installed) == ("active", None)


def test_what_was_usual_raises_what_may_be(installed):
    used_before(installed, 2, installed.clock.now - timedelta(days=10))

    sealer = installed.sealer()
    for _ in range(4):
        seal(installed, sealer)
    assert alerts(installed) == []
    seal(installed, sealer)
    (alert,) = alerts(installed)
    assert (alert.uses, alert.threshold, alert.busiest) == (5, 4, 2)


def test_an_hour_of_alarm_and_an_hour_too_long_ago_teach_nothing(installed):
    used_before(installed, 2, installed.clock.now - timedelta(days=31))
    for _ in range(4):
        seal(installed)
    assert [each.busiest for each in alerts(installed)] == [0]

    installed.clock.forward(timedelta(hours=5))
    for _ in range(3):
        seal(installed)
    assert [each.busiest for each in alerts(installed)] == [0, 0]


@given(
    uses=st.dictionaries(HOURS, st.integers(1, 500)),
    more=st.dictionaries(HOURS, st.integers(1, 500)),
    left_out=st.sets(HOURS),
    floor=st.integers(1, 100),
    factor=st.integers(1, 10),
)
def test_more_use_never_makes_less_usual(uses, more, left_out, floor, factor):
    both = {hour: uses.get(hour, 0) + more.get(hour, 0) for hour in uses | more}
    before = Pattern(floor=floor, factor=factor, busiest=busiest_hour(uses, left_out)).threshold
    after = Pattern(floor=floor, factor=factor, busiest=busiest_hour(both, left_out)).threshold
    assert floor <= before <= after
    assert after == floor or any(after == factor * count for hour, count in both.items() if hour not in left_out)


@given(st.lists(st.integers(0, 10**9).map(lambda seconds: START + timedelta(seconds=seconds)), max_size=4))
def test_every_moment_of_an_alarm_is_left_out(moments):
    def steps() -> Iterator[datetime]:
        for moment in moments:
            yield from (moment + timedelta(minutes=minutes) for minutes in range(-60, 61, 20))

    assert {to_text(each)[:13] for each in steps()} == hours_around(moments)
