"""Moments as text: RFC 3339 in UTC with ``Z`` and microseconds, so that text order is time order."""

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def to_text(moment: datetime) -> str:
    """``2026-11-23T09:00:00.000000Z`` for an aware ``moment`` of any zone.

    Raises ValueError on a naive one.
    """
    if moment.tzinfo is None:
        raise ValueError(f"moment {moment.isoformat()} has no time zone; an aware one is expected")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """The moment of a text that :func:`to_text` would write. Raises ValueError on any other spelling."""
    moment = datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    if to_text(moment) != text:
        raise ValueError(f"moment {text!r}: the form 2026-11-23T09:00:00.000000Z is expected")
    return moment
