"""The life of a seal's key: the table, the page that tells it, and the record's own rules."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from registry_samples import seal_key

from registry import seal_keys
from registry.errors import RecordInvalidError, TransitionError
from registry.key_life import LIFE, STATES, after, enough_persons

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "life-cycles.md").read_text(encoding="utf-8")


def test_the_page_has_the_table():
    section = PAGE.split("## Key of a seal\n")[1].split("\n## ")[0]
    told = [row.strip("|").split("|") for row in section.splitlines() if row.startswith("| `")]
    codes = [[re.findall(r"`([^`]+)`", cell) for cell in row[:4]] + [int(row[4])] for row in told]
    assert codes == [
        [[name], list(step.sources), [step.to], list(step.roles), step.persons] for name, step in LIFE.items()
    ]


@pytest.mark.parametrize("step", LIFE)
def test_a_step_leads_only_from_its_sources_and_only_by_its_roles(step):
    row = LIFE[step]
    sources = row.sources or (None,)
    for state in (None, *STATES):
        for role in ("administrator", "custodian", "system"):
            if state in sources and role in row.roles:
                assert after(state, step, role=role) == row.to
                continue
            with pytest.raises(TransitionError) as caught:
                after(state, step, role=role)
            assert caught.value.code == ("key-role-refused" if state in sources else "key-change-refused")


def test_stopping_takes_one_person_and_ending_two():
    assert all(enough_persons(step, 1, role="custodian") for step in ("suspend", "suspect"))
    for step in ("cancel", "destroy", "retire", "approve"):
        assert not enough_persons(step, 1, role="administrator")
        assert enough_persons(step, 2, role="administrator")
    assert not enough_persons("cancel", 2, role="custodian")


def test_a_revoked_key_never_comes_back():
    gone = seal_keys.revoke(seal_key(), "suspect", reason="key_compromise", role="custodian", now=NOW)
    for call in (
        lambda: seal_keys.resume(gone, role="administrator", now=NOW),
        lambda: seal_keys.activate(gone, role="administrator"),
        lambda: seal_keys.suspend(gone, role="administrator", now=NOW),
    ):
        with pytest.raises(TransitionError):
            call()
    assert seal_keys.retire(gone, now=NOW).state == "cancelled"


def test_destroyed_means_that_there_is_evidence():
    gone = seal_keys.revoke(seal_key(), "cancel", reason="superseded", role="administrator", now=NOW)
    destroyed = seal_keys.destroy(gone, {"objects_after": "0"})
    assert (destroyed.state, destroyed.destruction) == ("destroyed", {"objects_after": "0"})
    for wrong in ({"state": "destroyed"}, {"destruction": {}}):
        with pytest.raises(RecordInvalidError):
            seal_keys.build(seal_keys.SealKey, **{**dict(gone), **wrong})


def test_a_hold_ends_with_the_revocation_and_stays_in_the_record():
    held = seal_keys.suspend(seal_key(), role="system", now=NOW)
    gone = seal_keys.revoke(
        held, "suspect", reason="key_compromise", role="administrator", now=NOW + timedelta(hours=1)
    )
    assert [(each.start, each.end) for each in gone.holds] == [(NOW, NOW + timedelta(hours=1))]
