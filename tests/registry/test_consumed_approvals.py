"""A line of an approval serves one application, once."""

import pytest
from registry_samples import DIGEST

from ledger.ids import new_id
from registry import consumed_approvals
from registry.errors import ConflictError

OTHER = DIGEST.replace("ab", "cd")


def test_line_is_used_by_one_application(world):
    approval, first, second = new_id("apr"), new_id("app"), new_id("app")
    assert world.reading(consumed_approvals.used_by, approval, document=DIGEST) is None
    world.writing(consumed_approvals.consume, approval, document=DIGEST, application=first)
    assert world.reading(consumed_approvals.used_by, approval, document=DIGEST) == first
    with pytest.raises(ConflictError) as caught:
        world.writing(consumed_approvals.consume, approval, document=DIGEST, application=second)
    assert caught.value.code == "approval-consumed"
    assert approval in caught.value.zh


def test_same_application_may_retry(world):
    approval, first = new_id("apr"), new_id("app")
    for _ in range(2):
        world.writing(consumed_approvals.consume, approval, document=DIGEST, application=first)
    assert world.reading(consumed_approvals.used_by, approval, document=DIGEST) == first


def test_each_line_of_the_manifest_is_its_own(world):
    approval, first, second = new_id("apr"), new_id("app"), new_id("app")
    world.writing(consumed_approvals.consume, approval, document=DIGEST, application=first)
    world.writing(consumed_approvals.consume, approval, document=OTHER, application=second)
    assert world.reading(consumed_approvals.used_by, approval, document=OTHER) == second
    assert world.reading(consumed_approvals.used_by, new_id("apr"), document=OTHER) is None


def test_key_holds_when_two_come_at_once(world, monkeypatch):
    approval = new_id("apr")
    world.writing(consumed_approvals.consume, approval, document=DIGEST, application=new_id("app"))
    monkeypatch.setattr(consumed_approvals, "used_by", lambda *_arguments, **_options: None)
    with pytest.raises(ConflictError):
        world.writing(consumed_approvals.consume, approval, document=DIGEST, application=new_id("app"))
