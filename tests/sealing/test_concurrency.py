"""Many at once: one impression for each idempotency key, none after a suspension."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from world import COUNTY

from registry.record import build
from registry.records import RoleAssignment, Seal
from registry.store import Act
from sealing.administration.seals import change_state
from sealing.audit import audit
from sealing.errors import AbandonedError, ConflictError, InProgressError
from sealing.impressions import Selection, listed
from sealing.recover import recover


def try_seal(installed, submission):
    try:
        return installed.sealer().seal(submission, installed.caller).state
    except (InProgressError, AbandonedError, ConflictError) as error:
        return error.code


def test_fifty_requests_with_ten_keys_give_ten_impressions(installed):
    keys = [installed.world.submission("city", installed.folder, key=f"k-{number}") for number in range(10)]
    requests = [keys[number % 10] for number in range(50)]

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda each: try_seal(installed, each), requests))

    assert set(answers) <= {"sealed", "in-progress"}
    assert installed.kinds().count("seal.impressed") == 10
    with installed.shop.database.read() as connection:
        assert len(list(listed(connection, Selection(organs=None)))) == 10
    assert all(installed.sealer().seal(each, installed.caller).replayed for each in keys)
    assert installed.audit() == []


def test_nothing_is_sealed_after_a_suspension(installed):
    submissions = [installed.world.submission("city", installed.folder) for _ in range(20)]
    started = Event()

    def seal(each):
        started.set()
        return try_seal(installed, each)

    with ThreadPoolExecutor(4) as threads:
        pending = [threads.submit(seal, each) for each in submissions]
        started.wait(10)
        act = Act(by=installed.world.act().by, why="发现异常", now=installed.clock())
        change_state(installed.shop, installed.world.seals["city"], "suspend", act)
        answers = [each.result() for each in pending]

    kinds = installed.kinds()
    suspended = kinds.index("seal.suspended")
    assert "seal.impressed" not in kinds[suspended:]
    assert answers.count("sealed") == kinds.count("seal.impressed")
    assert "refused" in answers
    assert set(answers) <= {"sealed", "refused", "status-changed"}
    assert installed.audit() == []


class StoppedError(Exception):
    pass


def abandoned_once(installed):
    """A submission whose first attempt lapsed, so that its application is open for another."""

    def stop(step):
        if step == "intent_committed":
            raise StoppedError

    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(StoppedError):
        installed.sealer(at=stop).seal(submission, installed.caller)
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    return submission


@pytest.mark.parametrize("recovered", [False, True], ids=["lapsed", "recovered"])
def test_retries_at_once_after_an_abandonment_make_one_attempt(installed, recovered):
    submission = abandoned_once(installed)
    if recovered:
        recover(installed.shop, installed.clock)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: try_seal(installed, submission), range(6)))

    assert set(answers) <= {"sealed", "in-progress"}
    assert "sealed" in answers
    kinds = installed.kinds()
    assert (kinds.count("seal.intended"), kinds.count("seal.impressed"), kinds.count("seal.abandoned")) == (2, 1, 1)
    again = installed.world.submission("city", installed.folder, document_number=submission.order.document_number)
    assert installed.sealer().seal(again, installed.caller).state == "refused"
    assert [each.code for each in audit(installed.shop, installed.clock())] == []


def test_a_lapsed_retry_and_a_new_use_of_the_same_seal_do_not_deadlock(installed):
    lapsed = [abandoned_once(installed) for _ in range(3)]
    fresh = [installed.world.submission("city", installed.folder) for _ in range(3)]

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda each: try_seal(installed, each), [*lapsed, *fresh]))

    assert answers == ["sealed"] * 6


def test_a_role_that_ends_while_the_key_works_stops_the_seal(installed):
    world, ended = installed.world, []

    def end_role(step):
        if step == "key_used":
            principal = world.staff[COUNTY].principal
            with installed.shop.database.write() as connection:
                role = installed.shop.registry.find_one(connection, RoleAssignment, person=principal, role="principal")
                over = build(RoleAssignment, **{**dict(role.record), "valid_until": installed.clock()})
                installed.shop.registry.put(
                    connection, over, by=world.act().by, why="调离", now=installed.clock(), replaces=role
                )
            ended.append(True)

    submission = world.submission("city", installed.folder)
    with pytest.raises(AbandonedError) as raised:
        installed.sealer(at=end_role).seal(submission, installed.caller)

    assert ended
    assert "principal_approved" in raised.value.en
    assert "seal.impressed" not in installed.kinds()


def test_a_daily_cap_holds_when_many_come_at_once(installed):
    world = installed.world
    with installed.shop.database.write() as connection:
        seal = installed.shop.registry.get(connection, Seal, world.seals["city"])
        capped = build(Seal, **{**dict(seal.record), "daily_cap": 3})
        installed.shop.registry.put(
            connection, capped, by=world.act().by, why="限量", now=installed.clock(), replaces=seal
        )
    submissions = [world.submission("city", installed.folder) for _ in range(8)]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda each: try_seal(installed, each), submissions))

    assert (answers.count("sealed"), answers.count("refused")) == (3, 5)
    assert installed.kinds().count("seal.impressed") == 3


def test_a_worker_whose_lease_ran_out_gives_up_by_itself(installed):
    def sleep(step):
        if step == "key_used":
            installed.clock.forward(installed.settings.lease + timedelta(seconds=1))

    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(AbandonedError) as raised:
        installed.sealer(at=sleep).seal(submission, installed.caller)

    assert raised.value.code == "lease-lost"
    assert installed.kinds()[-1] == "seal.abandoned"
    assert list(installed.shop.documents.digests()) == []
    assert installed.sealer().seal(submission, installed.caller).state == "sealed"
