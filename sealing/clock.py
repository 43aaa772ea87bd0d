"""The one place where the time of day is read. Everything else is told the time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system's time, aware, UTC."""
    return datetime.now(UTC)
