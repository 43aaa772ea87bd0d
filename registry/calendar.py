"""Working days: the State Council's calendar as far as it is known, own rows above it, weekdays beyond.

``chinesecalendar`` is the seed; an administrator adds rows the day the next year's notice appears. A year
that neither knows is counted by weekdays, and the result says that it is an estimate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import chinese_calendar

from registry.china_time import BEIJING, start_of
from registry.fields import Text
from registry.record import Record, derived_id

_SATURDAY = 5


class CalendarDay(Record):
    """One day that is a working day or a holiday, and the notice that says so."""

    date: date
    kind: Literal["workday", "holiday"]
    source: Text


def calendar_day_id(day: date) -> str:
    """The id of the one row of ``day``."""
    return derived_id("cal", day.isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTime:
    """A moment counted in working days; ``estimated`` when a day's kind was only guessed from the weekday."""

    at: datetime
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days an administrator registered, above what the seed knows."""

    days: Mapping[date, Literal["workday", "holiday"]] = field(default_factory=dict)

    def is_workday(self, day: date) -> tuple[bool, bool]:
        """Whether ``day`` is a working day, and whether that is an estimate."""
        if day in self.days:
            return self.days[day] == "workday", False
        try:
            return bool(chinese_calendar.is_workday(day)), False
        except NotImplementedError:
            return day.weekday() < _SATURDAY, True

    def after_working_days(self, start: datetime, count: int) -> DueTime:
        """The end of the ``count``-th working day after the Beijing day of ``start``.

        The first day is not counted (民法典 201). The moment is the first one no longer covered: midnight,
        Beijing time, in UTC.
        """
        day, left, estimated = start.astimezone(BEIJING).date(), count, False
        while left > 0:
            day += timedelta(days=1)
            working, guessed = self.is_workday(day)
            estimated = estimated or guessed
            left -= working
        return DueTime(at=start_of(day + timedelta(days=1)), estimated=estimated)
