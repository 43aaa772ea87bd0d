"""The levels of a seal, end to end: what is in the file, what the record says, what others' programs say of it."""

from datetime import timedelta

import pytest

from ledger.moments import from_text

LEVELS = ("PAdES-B-B", "PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA")


@pytest.fixture(params=["sqlite"])
def kind(request):
    return request.param


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_is_reached_and_told(installed, level):
    sealed = installed.sealed(level=level)
    document, content = sealed.document, sealed.path.read_bytes()

    assert (sealed.outcome.level, sealed.outcome.level_asked, sealed.outcome.lowered_because) == (level, level, None)
    assert (document["level"], document["level_asked"], document["lowered_because"]) == (level, level, None)
    assert document["sealed_length"] == len(content)
    rank = LEVELS.index(level)
    assert (document["timestamp"] is not None, document["archive_timestamp"] is not None) == (rank >= 1, rank >= 3)
    assert (b"/DSS" in content, b"/DocTimeStamp" in content) == (rank >= 2, rank >= 3)
    if rank:
        made = from_text(document["timestamp"]["time"])
        assert abs(made - installed.clock.now) < timedelta(minutes=1)
        assert from_text(document["timestamp"]["expires"]) > made + timedelta(days=365)
    assert installed.audit() == []
