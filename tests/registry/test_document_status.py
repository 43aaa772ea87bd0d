"""The status of a sealed document: its words differ in law, and its history only grows."""

from datetime import timedelta

import pytest
from registry_samples import START, status_change

from ledger.ids import new_id
from registry.document_status import change_status, status_at, status_id
from registry.errors import TransitionError

IMPRESSION = new_id("imp")
FINAL = ("annulled", "retracted", "cancelled", "revoked_as_penalty", "replaced")
DAY = timedelta(days=1)


def after(*statuses):
    record = None
    for number, status in enumerate(statuses):
        change = status_change(status, recorded=START + number * DAY)
        record = change_status(record, change, impression=IMPRESSION)
    return record


@pytest.mark.parametrize("status", ["amended", *FINAL])
def test_document_in_force_can_get_every_status(status):
    record = after(status)
    assert (record.status, record.impression, record.id) == (status, IMPRESSION, status_id(IMPRESSION))


@pytest.mark.parametrize("status", FINAL)
def test_amended_document_can_still_end(status):
    assert after("amended", status).status == status


@pytest.mark.parametrize("first", FINAL)
@pytest.mark.parametrize("second", ["amended", *FINAL])
def test_what_has_ended_does_not_end_otherwise(first, second):
    with pytest.raises(TransitionError, match=f"the document is {first}") as caught:
        after(first, second)
    assert caught.value.code == "status-change-refused"
    assert second in caught.value.zh


@pytest.mark.parametrize("first", ["amended", *FINAL])
def test_review_or_judgment_can_restore(first):
    record = after(first, "in_force")
    assert record.status == "in_force"
    assert [change.status for change in record.changes] == [first, "in_force"]


def test_nothing_changes_to_what_it_is():
    with pytest.raises(TransitionError):
        after("in_force")
    with pytest.raises(TransitionError):
        after("amended", "amended")


def test_status_at_a_moment():
    record = after("amended", "annulled")
    assert status_at(None, START) == "in_force"
    assert status_at(record, START - DAY) == "in_force"
    assert status_at(record, START) == "amended"
    assert status_at(record, START + DAY - timedelta(microseconds=1)) == "amended"
    assert status_at(record, START + DAY) == "annulled"


def test_one_record_for_an_impression():
    assert status_id(IMPRESSION) == status_id(IMPRESSION)
    assert status_id(IMPRESSION) != status_id(new_id("imp"))
