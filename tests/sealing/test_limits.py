"""Limits of a seal in the seal cycle: counted under the lock, by Beijing's months and hours, for the caller of now."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sealing_process

from registry.calendar import Calendar, CalendarDay, calendar_day_id
from registry.errors import RecordInvalidError
from registry.facts import limit_facts
from registry.record import build
from registry.records import Seal
from registry.seal_limits import ChosenLimits, SealLimits
from sealing.administration.seals import SealPolicy, set_policy
from sealing.errors import AbandonedError
from sealing.reception import bring_approval, receive, waiting_submission
from sealing.replay import replay

OFFICE = {"from": "08:30", "until": "18:00", "working_days_only": True}
INSIDE, OUTSIDE = "10.8.3.4", "203.0.113.9"


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"unsafe_in_process_keys": True})


def limit(installed, **limits) -> None:
    policy = SealPolicy(level="PAdES-B-B", check_mark="none", limits=build(ChosenLimits, **limits))
    act = replace(installed.world.act("限量"), now=installed.clock())
    set_policy(installed.shop, installed.world.seals["city"], policy, act)


def at(installed, moment: datetime) -> None:
    """Let it be ``moment``, for the people of the world, too."""
    installed.clock.now = installed.world.now = moment


def seal(installed, *, address: str | None = None, submission=None, **named):
    caller = replace(installed.caller, address=address)
    submission = submission or installed.world.submission("city", installed.folder)
    return installed.sealer().seal(submission, caller, **named)


def failed(outcome) -> list[str]:
    return [each["code"] for each in outcome.findings if not each["passed"]]


def groups(installed, kind: str) -> list[dict]:
    """What the entries of ``kind`` tell of their applications."""
    with installed.shop.database.read() as connection:
        book = installed.shop.book
        return [book.entry(connection, each).value("application") for each in book.indexes(connection, kind)]


def test_the_month_is_that_of_beijing(installed):
    limit(installed, monthly_cap=1)
    at(installed, datetime(2026, 11, 30, 15, 59, 58, tzinfo=UTC))  # 23:59 in Beijing
    assert seal(installed).state == "sealed"
    refused = seal(installed)
    assert failed(refused) == ["monthly_cap"]
    assert "used 1 times this month, expected fewer than 1" in refused.findings[-3]["en"]
    assert replay(installed.shop, refused.entry).same

    at(installed, datetime(2026, 11, 30, 16, 0, tzinfo=UTC))  # the first of December there
    assert seal(installed).state == "sealed"
    assert failed(seal(installed)) == ["monthly_cap"]


def test_another_seal_is_not_counted(installed):
    limit(installed, monthly_cap=1)
    town = installed.world.submission("town", installed.folder)
    assert installed.sealer().seal(town, installed.caller).state == "sealed"
    assert seal(installed).state == "sealed"


def test_an_attempt_that_is_alive_takes_its_place_in_the_month(installed):
    class StoppedError(Exception):
        pass

    def stop(step):
        if step == "intent_committed":
            raise StoppedError

    limit(installed, monthly_cap=1)
    living = installed.world.submission("city", installed.folder)
    with pytest.raises(StoppedError):
        installed.sealer(at=stop).seal(living, installed.caller)
    assert failed(seal(installed)) == ["monthly_cap"]
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    assert seal(installed, submission=living).state == "sealed"


def test_a_monthly_cap_holds_when_many_come_at_once(installed):
    limit(installed, monthly_cap=3)
    submissions = [installed.world.submission("city", installed.folder) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        states = list(threads.map(lambda each: seal(installed, submission=each).state, submissions))
    assert (states.count("sealed"), states.count("refused")) == (3, 3)


def test_two_processes_at_the_cap_seal_exactly_as_many_as_it_lets(installed):
    limit(installed, monthly_cap=3, daily_cap=4)
    processes = [_process(installed, number) for number in range(2)]
    for each in processes:
        assert each.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(lambda each: each.communicate(timeout=60)[0], processes))
    assert [each.returncode for each in processes] == [0, 0]
    states = "".join(said).split()

    assert sorted(states) == ["refused"] * 3 + ["sealed"] * 3
    assert installed.kinds().count("seal.impressed") == 3
    assert installed.audit() == []


def _process(installed, number: int) -> subprocess.Popen[str]:
    def told(submission) -> dict:
        return asdict(submission) | {"order": submission.order.to_json(), "source": str(submission.source)}

    task = {
        "settings": {
            "data": str(installed.settings.data),
            "database_url": installed.settings.database_url,
            "unsafe_in_process_keys": True,
        },
        "clock": installed.clock().isoformat(),
        "caller": asdict(installed.caller),
        "submissions": [told(installed.world.submission("city", installed.folder)) for _ in range(3)],
    }
    path = installed.folder / f"task-{number}.json"
    path.write_text(json.dumps(task, ensure_ascii=False))
    script = Path(sealing_process.__file__)
    return subprocess.Popen(
        [sys.executable, str(script), str(path)],
        cwd=script.parent.parent,
        env={"PYTHONPATH": str(script.parent.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("moment", "day", "working"),
    [
        (datetime(2026, 11, 1, 16, 0, tzinfo=UTC), "2026-11-02", True),  # a Sunday in UTC, Monday in Beijing
        (datetime(2026, 11, 7, 2, 0, tzinfo=UTC), "2026-11-07", False),  # Saturday
        (datetime(2026, 10, 10, 2, 0, tzinfo=UTC), "2026-10-10", True),  # a Saturday worked in place of a holiday
        (datetime(2026, 10, 2, 2, 0, tzinfo=UTC), "2026-10-02", False),  # a Friday of the national holiday
        (datetime(2027, 3, 1, 2, 0, tzinfo=UTC), "2027-03-01", None),  # a Monday of a year that nobody told
    ],
    ids=["monday", "saturday", "worked-saturday", "holiday", "unknown-year"],
)
def test_the_calendar_says_what_a_working_day_is(moment, day, working):
    limits = build(SealLimits, working_hours=OFFICE)
    hours = limit_facts(limits, used_this_month=None, calendar=Calendar(), now=moment).hours
    assert (hours.day, hours.working_day) == (day, working)


def test_a_registered_day_counts_more_than_the_weekday(installed):
    limit(installed, working_hours=OFFICE)
    monday = date(2026, 11, 2)
    assert seal(installed).state == "sealed"
    at(installed, installed.clock())
    row = CalendarDay(id=calendar_day_id(monday), date=monday, kind="holiday", source="示例通知")
    installed.world.put(row)
    refused = seal(installed)
    assert failed(refused) == ["working_hours"]
    assert "2026-11-02 不是工作日" in refused.findings[-2]["zh"]
    assert replay(installed.shop, refused.entry).same


def test_hours_that_end_while_the_key_works_stop_the_seal(installed):
    limit(installed, working_hours={**OFFICE, "until": "11:00"})

    def wait(step):
        if step == "key_used":
            installed.clock.now = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)

    at(installed, datetime(2026, 11, 2, 2, 59, 30, tzinfo=UTC))
    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(AbandonedError) as raised:
        installed.sealer(at=wait).seal(submission, installed.caller)
    assert "working_hours" in raised.value.en
    assert "seal.impressed" not in installed.kinds()


def test_a_seal_bound_to_networks_is_used_from_there_only(installed):
    limit(installed, networks=("10.8.0.0/16", "2001:db8:8::/48"))
    assert seal(installed, address=INSIDE).state == "sealed"
    assert seal(installed, address="2001:db8:8::1").state == "sealed"
    outside = seal(installed, address=OUTSIDE)
    assert failed(outside) == ["allowed_network"]
    assert failed(seal(installed, address=None)) == ["allowed_network"]
    assert replay(installed.shop, outside.entry).same

    told = [each["address"] for each in groups(installed, "seal.refused")]
    assert told == [OUTSIDE, None]
    assert [each["address"] for each in groups(installed, "seal.intended")] == [INSIDE, "2001:db8:8::1"]
    assert all("address" not in each for each in groups(installed, "seal.impressed"))


def test_an_application_that_waited_is_judged_by_who_seals_it(installed):
    limit(installed, networks=("10.8.0.0/16",))
    inside, outside = (replace(installed.caller, address=each) for each in (INSIDE, OUTSIDE))
    submission = installed.world.submission("city", installed.folder)
    application = receive(installed.shop, replace(submission, approval=None), inside, installed.clock()).id
    bring_approval(installed.shop, application, submission.approval, inside, installed.clock())

    ready = waiting_submission(installed.shop, application, outside)
    outcome = installed.sealer().seal(ready, outside, application=application)
    assert failed(outcome) == ["allowed_network"]
    assert [each["address"] for each in groups(installed, "application.received")] == [INSIDE]


def test_a_repeat_from_elsewhere_gets_no_more_than_was_recorded(installed):
    limit(installed, networks=("10.8.0.0/16",))

    class StoppedError(Exception):
        pass

    def stop(step):
        if step == "intent_committed":
            raise StoppedError

    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(StoppedError):
        installed.sealer(at=stop).seal(submission, replace(installed.caller, address=INSIDE))
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    repeated = seal(installed, address=OUTSIDE, submission=submission)
    assert failed(repeated) == ["allowed_network"]

    done = installed.world.submission("city", installed.folder)
    sealed = seal(installed, address=INSIDE, submission=done)
    again = seal(installed, address=OUTSIDE, submission=done)
    assert (again.replayed, again.impression) == (True, sealed.impression)
    assert installed.kinds().count("seal.impressed") == 1


def test_limits_are_chosen_together_or_left_alone(installed):
    limit(installed, daily_cap=9, monthly_cap=20, networks=("10.8.0.0/16",), working_hours=OFFICE, burst_floor=4)
    installed.policy(level="PAdES-B-T")
    assert _limits(installed) == build(
        ChosenLimits, daily_cap=9, monthly_cap=20, networks=("10.8.0.0/16",), working_hours=OFFICE, burst_floor=4
    )
    limit(installed, monthly_cap=5)
    assert _limits(installed) == ChosenLimits(monthly_cap=5)


def _limits(installed) -> ChosenLimits:
    with installed.shop.database.read() as connection:
        return installed.shop.registry.get(connection, Seal, installed.world.seals["city"]).record.all_limits


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"monthly_cap": 0}, "monthly_cap"),
        ({"networks": ("10.8.0.1/16",)}, "10.8.0.0/16"),
        ({"networks": ("10.8.0.7",)}, "10.8.0.7/32"),
        ({"networks": ("2001:0db8::/32",)}, "2001:db8::/32"),
        ({"networks": ("everywhere",)}, "expected a network"),
        ({"working_hours": {"from": "18:00", "until": "08:30", "working_days_only": True}}, "begin before they end"),
        ({"working_hours": {"from": "8:30", "until": "18:00", "working_days_only": True}}, "working_hours.from"),
        ({"working_hours": {"from": "08:30", "until": "24:01", "working_days_only": True}}, "working_hours.until"),
        ({"working_hours": {"from": "08:30", "until": "18:00"}}, "working_days_only"),
        ({"burst_floor": 0}, "burst_floor"),
        ({"yearly_cap": 5}, "yearly_cap"),
    ],
    ids=lambda each: each if isinstance(each, str) else "-".join(each),
)
def test_a_limit_that_cannot_be_is_refused(limits, told):
    with pytest.raises(RecordInvalidError) as raised:
        build(ChosenLimits, **limits)
    assert told in raised.value.en
