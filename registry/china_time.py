"""Administrative texts speak of Beijing dates; records keep moments in UTC."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from registry.fields import json_time

BEIJING = timezone(timedelta(hours=8), "CST")
_DATE_LENGTH = len("2023-11-30")


def start_of(day: date) -> datetime:
    """The first moment of a Beijing day, in UTC."""
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)


def read_moment(text: str) -> datetime:
    """Read a Beijing date (``2023-11-30``: its first moment) or an RFC 3339 time. Raises ``ValueError``."""
    if len(text) == _DATE_LENGTH:
        return start_of(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError(f"时间没有时区：{text} / the time has no zone: {text}")
    return moment.astimezone(UTC)


def write_moment(moment: datetime) -> str:
    """Write what :func:`read_moment` reads: the date alone where the moment starts a Beijing day."""
    local = moment.astimezone(BEIJING)
    return local.date().isoformat() if local.time() == time() else json_time(moment)
