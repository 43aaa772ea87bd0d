"""The status of a sealed document: only its grantor changes it, and every change stays."""

from datetime import date, timedelta

import pytest

from ledger.ids import new_id
from registry.errors import RecordInvalidError, TransitionError
from sealing.administration.document_status import StatusRequest, set_status, status_of
from sealing.errors import NotAllowedError, UnknownError
from sealing.seal import Sealer

ANNULLED = StatusRequest(status="annulled", effective=date(2026, 11, 3), document="兴审撤〔2026〕1号")


@pytest.fixture
def impression(office) -> str:
    sealer = Sealer(office.shop, clock=lambda: office.world.now + timedelta(minutes=5))
    submission = office.world.submission("town", office.folder)
    outcome = sealer.seal(submission, office.world.clients["platform"])
    assert outcome.impression is not None, outcome.findings
    return outcome.impression


@pytest.fixture
def grantor(office) -> str:
    return office.world.codes["county"]


def test_nothing_recorded_means_in_force(office, impression):
    assert status_of(office.shop, impression) is None


def test_the_grantor_annuls_with_reason_and_paper(office, impression, grantor):
    set_status(office.shop, impression, ANNULLED, office.act("材料不实", organ=grantor))
    record = status_of(office.shop, impression)
    assert record is not None
    change = record.changes[-1]
    assert (record.status, change.reason, change.document) == ("annulled", "材料不实", "兴审撤〔2026〕1号")
    assert office.newest()[0] == "document_status.annulled"


def test_history_grows(office, impression, grantor):
    for status in ("amended", "annulled", "in_force"):
        request = StatusRequest(status=status, effective=date(2026, 11, 3))
        set_status(office.shop, impression, request, office.act("复议", organ=grantor))
    record = status_of(office.shop, impression)
    assert record is not None
    assert [each.status for each in record.changes] == ["amended", "annulled", "in_force"]


@pytest.mark.parametrize("organ", ["town", "city", None])
def test_nobody_else_changes_it(office, impression, organ):
    code = None if organ is None else office.world.codes[organ]
    with pytest.raises(NotAllowedError) as caught:
        set_status(office.shop, impression, ANNULLED, office.act(organ=code))
    assert caught.value.code == "not-the-grantor"
    assert status_of(office.shop, impression) is None


def test_a_step_that_the_table_does_not_list(office, impression, grantor):
    set_status(office.shop, impression, ANNULLED, office.act(organ=grantor))
    with pytest.raises(TransitionError):
        set_status(
            office.shop,
            impression,
            StatusRequest(status="replaced", effective=date(2026, 11, 3)),
            office.act(organ=grantor),
        )


def test_an_unknown_word_and_an_unknown_impression(office, impression, grantor):
    with pytest.raises(RecordInvalidError):
        set_status(
            office.shop,
            impression,
            StatusRequest(status="gone", effective=date(2026, 11, 3)),
            office.act(organ=grantor),
        )
    with pytest.raises(UnknownError):
        set_status(office.shop, new_id("imp"), ANNULLED, office.act(organ=grantor))
    with pytest.raises(UnknownError):
        status_of(office.shop, new_id("imp"))
