"""kill -9 of the real server between any two durable effects: nothing is lost, nothing is sealed twice."""

import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from servers import running

from sealing.administration.seals import SealPolicy, set_policy
from sealing.audit import audit
from sealing.clock import utc_now
from sealing.impressions import Selection, listed
from sealing.recover import recover
from sealing.seal import STEPS
from sealing.workshop import open_workshop

SOURCE = Path(__file__).resolve().parents[2] / "sealing" / "seal.py"


@pytest.fixture
def today(settings, templates, kind):
    """The world as of now: the server reads the real clock."""
    return replace(templates[kind].world, now=utc_now())


def test_every_step_of_the_cycle_has_its_switch():
    passed = re.findall(r'self\.at\("(\w+)"\)', SOURCE.read_text(encoding="utf-8"))

    assert sorted(passed) == sorted(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_a_server_killed_at_a_step_loses_and_doubles_nothing(settings, today, tmp_path, step):
    with open_workshop(settings) as shop:  # the one level that passes every step
        policy = SealPolicy(level="PAdES-B-LTA", check_mark="none")
        set_policy(shop, today.seals["city"], policy, today.act("选定级别"))
    submission = today.submission("city", tmp_path)
    with running(settings, tmp_path, unsafe_kill_at=step, lease="PT1S") as server:
        server.log_in(today.clients["platform"].client)
        with pytest.raises(httpx2.TransportError):
            server.seal(submission)
        assert server.process.wait(10) == -signal.SIGKILL  # the kill hit

    time.sleep(1.1)
    with open_workshop(settings) as shop:
        closed = recover(shop)
        assert [each.severity for each in audit(shop, utc_now())] in ([], ["orphan"])
    assert len(closed) == (0 if step in {"intent_written", "impression_committed"} else 1)

    with running(settings, tmp_path) as server:
        server.log_in(today.clients["platform"].client)
        answer = server.seal(submission)
        again = server.seal(submission)
    assert answer.status_code == (200 if step == "impression_committed" else 201), answer.text
    assert again.status_code == 200
    assert again.json()["impression"] == answer.json()["impression"]
    assert (answer.json()["level"], again.json()["level"]) == ("PAdES-B-LTA", "PAdES-B-LTA")
    with open_workshop(settings) as shop:
        with shop.database.read() as connection:
            assert len(list(listed(connection, Selection(organs=None)))) == 1
        assert [each for each in audit(shop, utc_now()) if each.severity != "orphan"] == []


def test_while_the_lease_runs_a_retry_waits_and_then_goes_through_by_itself(settings, today, tmp_path):
    submission = today.submission("city", tmp_path)
    with running(settings, tmp_path, unsafe_kill_at="key_used", lease="PT12S") as server:  # longer than a start
        server.log_in(today.clients["platform"].client)
        with pytest.raises(httpx2.TransportError):
            server.seal(submission)

    with running(settings, tmp_path) as server:
        server.log_in(today.clients["platform"].client)
        early = server.seal(submission)
        assert early.status_code == 409, early.text
        assert early.json()["code"] == "in-progress"
        time.sleep(int(early.headers["retry-after"]))
        assert server.seal(submission).status_code == 201
    with open_workshop(settings) as shop:
        assert [each for each in audit(shop, utc_now()) if each.severity != "orphan"] == []
