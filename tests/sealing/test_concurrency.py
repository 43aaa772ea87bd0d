"""Many at once: one impression for each idempotency key, none after a suspension."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from registry.store import Act
from sealing.administration.seals import change_state
from sealing.errors import AbandonedError, ConflictError, InProgressError
from sealing.impressions import Selection, listed


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
