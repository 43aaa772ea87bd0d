"""The seal cycle as a caller sees it: sealed, refused, repeated, in progress, in conflict."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from world import COUNTY, TOWN

from ledger.moments import to_text
from registry.store import Act
from sealing.administration.seals import change_state
from sealing.errors import AbandonedError, ConflictError, InProgressError, NotAllowedError
from sealing.impressions import get as impression_of
from sealing.receipts import receipt
from sealing.replay import replay


def failed(outcome):
    return [finding["code"] for finding in outcome.findings if not finding["passed"]]


@pytest.mark.parametrize("name", ["city", "town", "forest"])
def test_a_seal_use_is_sealed_and_recorded(installed, name):
    submission = installed.world.submission(name, installed.folder)

    outcome = installed.sealer().seal(submission, installed.caller)

    assert (outcome.state, failed(outcome)) == ("sealed", [])
    sealed = installed.shop.documents.read_path(outcome.sealed_digest).read_bytes()
    assert sealed.startswith(submission.source.read_bytes())
    assert installed.kinds()[-2:] == ["seal.intended", "seal.impressed"]
    assert installed.audit() == []


def test_the_key_is_used_once_for_a_seal(installed):
    submission = installed.world.submission("city", installed.folder)
    used = []
    keystore = installed.shop.keystore

    installed.sealer().seal(submission, installed.caller)

    used = {ref: keystore.uses(ref) for ref in keystore.refs() if ref.startswith("file:seal-")}
    assert sorted(used.values()) == [0, 0, 1]


def test_the_same_request_again_gives_the_recorded_outcome(installed):
    submission = installed.world.submission("city", installed.folder)
    first = installed.sealer().seal(submission, installed.caller)
    before = installed.kinds()

    again = installed.sealer().seal(submission, installed.caller)

    assert (again.impression, again.entry, again.sealed_digest) == (first.impression, first.entry, first.sealed_digest)
    assert again.replayed
    assert not first.replayed
    assert installed.kinds() == before


def test_a_refusal_is_recorded_and_repeated(installed):
    order = installed.world.order("city")
    document = installed.world.document("city", order, installed.folder)
    submission = installed.world.submit(order, document, None)

    first = installed.sealer().seal(submission, installed.caller)
    again = installed.sealer().seal(submission, installed.caller)

    assert first.state == "refused"
    assert "principal_approved" in failed(first)
    assert failed(again) == failed(first)
    assert again.replayed
    assert installed.kinds()[-1] == "seal.refused"
    assert installed.audit() == []


def test_the_same_key_with_another_request_is_a_conflict(installed):
    installed.sealer().seal(installed.world.submission("city", installed.folder, key="k-1"), installed.caller)

    with pytest.raises(ConflictError) as raised:
        installed.sealer().seal(installed.world.submission("city", installed.folder, key="k-1"), installed.caller)

    assert raised.value.code == "idempotency-conflict"


def test_the_same_key_of_another_client_is_its_own(installed):
    one = installed.sealer().seal(installed.world.submission("city", installed.folder, key="k-1"), installed.caller)
    other = installed.sealer().seal(
        installed.world.submission("town", installed.folder, key="k-1"), installed.world.clients["other"]
    )

    assert one.state == "sealed"
    assert "caller_for_grantee" in failed(other)


def test_while_an_attempt_is_alive_the_same_request_waits(installed):
    class StopError(Exception):
        pass

    def stop(step):
        if step == "intent_committed":
            raise StopError

    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(StopError):
        installed.sealer(at=stop).seal(submission, installed.caller)

    with pytest.raises(InProgressError) as raised:
        installed.sealer().seal(submission, installed.caller)

    assert raised.value.code == "in-progress"
    assert 0 < raised.value.wait.seconds <= 61


def test_a_replay_is_authorised_again(installed):
    submission = installed.world.submission("city", installed.folder)
    installed.sealer().seal(submission, installed.caller)
    stripped = type(installed.caller)(client=installed.caller.client, organs=(), roles=installed.caller.roles)

    with pytest.raises(NotAllowedError):
        installed.sealer().seal(submission, stripped)


def test_a_seal_suspended_while_the_key_works_is_not_put(installed):
    world = installed.world

    def suspend(step):
        if step == "key_used":
            act = Act(by=world.act().by, why="核查", now=installed.clock())
            change_state(installed.shop, world.seals["city"], "suspend", act)

    submission = world.submission("city", installed.folder)
    with pytest.raises(AbandonedError) as raised:
        installed.sealer(at=suspend).seal(submission, installed.caller)

    assert raised.value.code == "status-changed"
    assert "seal_active" in raised.value.en
    assert installed.kinds()[-1] == "seal.abandoned"
    assert list(installed.shop.documents.digests()) == []
    assert installed.audit() == []


def test_after_resuming_the_abandoned_request_is_sealed_once(installed):
    world = installed.world

    def suspend(step):
        if step == "key_used":
            act = Act(by=world.act().by, why="核查", now=installed.clock())
            change_state(installed.shop, world.seals["city"], "suspend", act)

    submission = world.submission("city", installed.folder)
    with pytest.raises(AbandonedError):
        installed.sealer(at=suspend).seal(submission, installed.caller)
    change_state(
        installed.shop, world.seals["city"], "resume", Act(by=world.act().by, why="核查完毕", now=installed.clock())
    )

    outcome = installed.sealer().seal(submission, installed.caller)

    assert outcome.state == "sealed"
    assert installed.kinds().count("seal.impressed") == 1
    assert installed.audit() == []


def test_an_old_decision_can_be_made_again(installed):
    outcome = installed.sealer().seal(installed.world.submission("forest", installed.folder), installed.caller)

    replayed = replay(installed.shop, outcome.entry - 1)

    assert replayed.same
    assert len(replayed.again) > 15


def test_a_receipt_holds_what_was_sealed(installed):
    outcome = installed.sealer().seal(installed.world.submission("town", installed.folder), installed.caller)
    with installed.shop.database.read() as connection:
        impression = impression_of(connection, outcome.impression)

    given = receipt(installed.shop, impression, installed.clock())

    leaf, checkpoint = given.evidence.check(installed.shop.identity)
    assert leaf.kind == "seal.impressed"
    assert checkpoint.size > outcome.entry
    assert given.evidence.openings["document"].value["sealed_digest"] == outcome.sealed_digest


ROWS = {
    "registry_seal": "body",
    "registry_agreement": "body",
    "registry_organ": "body",
    "registry_person": "body",
    "registry_role_assignment": "body",
    "registry_catalogue_item": "body",
    "registry_setup_row": "body",
    "registry_seal_key": "body",
    "registry_person_key": "body",
}


@pytest.mark.parametrize("table", sorted(ROWS))
def test_a_row_changed_by_sql_stops_the_next_use(installed, table):
    submission = installed.world.submission("city", installed.folder)
    with installed.shop.database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET body = replace(body, '2026', '2036')"))
        connection.execute(text(f"UPDATE {table} SET body = replace(body, '\"id\"', '\"id\" ')"))

    with pytest.raises(Exception, match=r"table|entry") as raised:
        installed.sealer().seal(submission, installed.caller)

    assert raised.value.code == "row-tampered"
    assert table in raised.value.en
    assert installed.kinds()[-1] not in {"seal.intended", "seal.impressed", "seal.refused"}


def test_an_expired_agreement_refuses(installed):
    installed.clock.forward(timedelta(days=600))

    outcome = installed.sealer().seal(installed.world.submission("city", installed.folder), installed.caller)

    assert {"agreement_in_force", "key_certified", "approval_fresh"} <= set(failed(outcome))


def test_a_number_used_before_refuses_however_it_is_written(installed):
    world = installed.world
    first = world.submission("city", installed.folder, document_number="兴审批〔2026〕7号")
    assert installed.sealer().seal(first, installed.caller).state == "sealed"

    second = world.submission("city", installed.folder, document_number="兴审批[2026] 7号")
    outcome = installed.sealer().seal(second, installed.caller)

    assert failed(outcome) == ["numbers_given"]


def test_the_approver_may_not_be_the_applicant(installed):
    world = installed.world
    order = world.order("city", applicant=world.staff[COUNTY].principal)
    document = world.document("city", order, installed.folder)
    outcome = installed.sealer().seal(
        world.submit(order, document, world.approve("city", order, document)), installed.caller
    )

    assert {"two_persons", "applicant_is_seal_user"} <= set(failed(outcome))


def test_an_approval_by_the_approval_system_counts_as_attested(installed):
    world = installed.world
    order = world.order("town")
    document = world.document("town", order, installed.folder)
    approval = world.approve("town", order, document, signed_with=world.attesting)

    outcome = installed.sealer().seal(world.submit(order, document, approval), installed.caller)

    assert outcome.state == "sealed"
    with installed.shop.database.read() as connection:
        value = installed.shop.book.entry(connection, outcome.entry).openings["approval"].value
    assert value["assurance"] == "system_attested"


def test_an_organ_of_another_region_is_refused(installed):
    world = installed.world
    order = world.order("city", organ=world.codes[TOWN], applicant=world.staff[TOWN].user)
    document = world.document("city", order, installed.folder)

    outcome = installed.sealer().seal(
        world.submit(order, document, world.approve("city", order, document)), installed.caller
    )

    assert outcome.state == "refused"
    assert "applicant_is_seal_user" in failed(outcome)


def test_times_in_the_record_never_fall(installed):
    for name in ("city", "town"):
        installed.sealer().seal(installed.world.submission(name, installed.folder), installed.caller)
    with installed.shop.database.read() as connection:
        times = list(connection.execute(text('SELECT time FROM ledger_entries ORDER BY "index"')).scalars())
    assert times == sorted(times)
    assert times[-1] <= to_text(installed.clock())
