"""Working days: the seed, own rows above it, and an honest estimate beyond."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.calendar import Calendar

PLAIN = Calendar()


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 11, 23), True),
        (date(2026, 11, 22), False),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),  # Saturday worked for the National Day holiday
        (date(2026, 2, 14), True),  # Saturday worked for the Spring Festival
        (date(2026, 2, 17), False),
    ],
)
def test_seed_knows_holidays_and_made_up_days(day, working):
    assert PLAIN.is_workday(day) == (working, False)


def test_unknown_year_is_estimated_by_weekday():
    assert PLAIN.is_workday(date(2031, 1, 1)) == (True, True)
    assert PLAIN.is_workday(date(2031, 1, 4)) == (False, True)


def test_own_row_is_above_seed_and_estimate():
    own = Calendar(days={date(2026, 11, 23): "holiday", date(2031, 1, 1): "holiday", date(2031, 1, 4): "workday"})
    assert own.is_workday(date(2026, 11, 23)) == (False, False)
    assert own.is_workday(date(2031, 1, 1)) == (False, False)
    assert own.is_workday(date(2031, 1, 4)) == (True, False)


def test_first_day_is_not_counted_and_the_last_is_whole():
    monday_morning = datetime(2026, 11, 23, 1, tzinfo=UTC)
    due = PLAIN.after_working_days(monday_morning, 1)
    assert (due.at, due.estimated) == (datetime(2026, 11, 24, 16, tzinfo=UTC), False)


def test_day_is_the_day_in_beijing():
    """17:00 in UTC is the next day in Beijing."""
    assert PLAIN.after_working_days(datetime(2026, 11, 23, 17, tzinfo=UTC), 1).at == datetime(
        2026, 11, 25, 16, tzinfo=UTC
    )


def test_holidays_do_not_count():
    """From Wednesday 30 September 2026 over the National Day holiday (1 to 7 October)."""
    before = datetime(2026, 9, 30, 2, tzinfo=UTC)
    assert PLAIN.after_working_days(before, 1).at == datetime(2026, 10, 8, 16, tzinfo=UTC)
    assert PLAIN.after_working_days(before, 3).at == datetime(2026, 10, 10, 16, tzinfo=UTC)


def test_estimate_is_told():
    assert PLAIN.after_working_days(datetime(2026, 12, 30, tzinfo=UTC), 5).estimated
    assert not PLAIN.after_working_days(datetime(2026, 12, 28, tzinfo=UTC), 2).estimated


@given(
    st.integers(1_075_000_000, 32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 60),
)
def test_more_days_end_later_and_never_before_the_days_themselves(start, count):
    due = PLAIN.after_working_days(start, count)
    assert due.at - start >= timedelta(days=count)
    assert due.at > PLAIN.after_working_days(start, count - 1).at
