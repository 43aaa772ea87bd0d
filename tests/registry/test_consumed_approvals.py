"""A line of an approval serves one application, once."""

import pytest
from registry_samples import DIGEST

from ledger.entry import Draft
from ledger.errors import RecordBrokenError
from ledger.ids import new_id
from registry import consumed_approvals
from registry.errors import ConflictError, RowTamperedError

VECTOR = "apl-lbhpfvtbblysqqv72r2umylx6e"
OTHER = DIGEST.replace("ab", "cd")


def test_line_is_used_by_one_application(world):
    approval, first, second = new_id("apr"), new_id("app"), new_id("app")
    assert world.reading(consumed_approvals.used_by, world.store.book, approval, document=DIGEST) is None
    world.writing(consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=first)
    assert world.reading(consumed_approvals.used_by, world.store.book, approval, document=DIGEST) == first
    with pytest.raises(ConflictError) as caught:
        world.writing(consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=second)
    assert caught.value.code == "approval-consumed"
    assert approval in caught.value.zh


def test_same_application_may_retry(world):
    approval, first = new_id("apr"), new_id("app")
    for _ in range(2):
        world.writing(consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=first)
    assert world.reading(consumed_approvals.used_by, world.store.book, approval, document=DIGEST) == first


def test_each_line_of_the_manifest_is_its_own(world):
    approval, first, second = new_id("apr"), new_id("app"), new_id("app")
    world.writing(consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=first)
    world.writing(consumed_approvals.consume, world.store.book, approval, document=OTHER, application=second)
    assert world.reading(consumed_approvals.used_by, world.store.book, approval, document=OTHER) == second
    assert world.reading(consumed_approvals.used_by, world.store.book, new_id("apr"), document=OTHER) is None


def test_key_holds_when_two_come_at_once(world, monkeypatch):
    approval = new_id("apr")
    world.writing(consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=new_id("app"))
    monkeypatch.setattr(consumed_approvals, "used_by", lambda *_arguments, **_options: None)
    with pytest.raises(ConflictError):
        world.writing(
            consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=new_id("app")
        )


def recorded(world) -> tuple[str, str]:
    """A line as the seal cycle consumes it: with an intent that names line and application."""
    approval, application = new_id("apr"), new_id("app")
    subjects = (application, consumed_approvals.line_subject(approval, DIGEST))
    with world.database.write() as connection:
        consumed_approvals.consume(connection, world.store.book, approval, document=DIGEST, application=application)
        draft = Draft(kind="seal.intended", subjects=subjects, groups={"application": {"application": application}})
        world.store.book.append(connection, draft, world.now)
    return approval, application


def test_recorded_line_is_read_and_retried(world):
    approval, application = recorded(world)
    assert world.reading(consumed_approvals.used_by, world.store.book, approval, document=DIGEST) == application
    world.writing(consumed_approvals.consume, world.store.book, approval, document=DIGEST, application=application)
    assert world.reading(consumed_approvals.used_by, world.store.book, approval, document=OTHER) is None


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM registry_consumed_approvals",
        "UPDATE registry_consumed_approvals SET application = 'app-" + "z" * 26 + "'",
        "UPDATE registry_consumed_approvals SET document = 'sha256:'",
        "UPDATE registry_consumed_approvals SET approval = 'apr-" + "z" * 26 + "'",
    ],
)
def test_changed_row_refuses(world, statement):
    approval, _ = recorded(world)
    world.sql(statement)
    with pytest.raises(RowTamperedError, match="registry_consumed_approvals"):
        world.reading(consumed_approvals.used_by, world.store.book, approval, document=DIGEST)
    with pytest.raises(RowTamperedError):
        world.writing(
            consumed_approvals.consume, world.store.book, approval, document=DIGEST, application="app-" + "z" * 26
        )


@pytest.mark.parametrize("restarted", [False, True])
def test_row_deleted_with_its_subjects_refuses(world, restarted):
    """The leaves tell that the line was used up, also to a process that never saw it used."""
    approval, _ = recorded(world)
    world.sql("DELETE FROM registry_consumed_approvals")
    world.sql("DELETE FROM ledger_subjects")
    if restarted:
        world.restart()
    with pytest.raises(RecordBrokenError, match="gone from the index"):
        world.reading(consumed_approvals.used_by, world.store.book, approval, document=DIGEST)


def test_line_subject_is_fixed():
    """Entries hold it: it must come out the same for ever."""
    assert consumed_approvals.line_subject("apr-" + "a" * 26, DIGEST) == VECTOR
