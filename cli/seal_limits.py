"""Limits of a seal as the command line names them: what is given replaces one, ``--lift`` takes one away."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from cli.console import UsageError

if TYPE_CHECKING:
    from registry.seal_limits import ChosenLimits

LIFTED: Mapping[str, tuple[str, object]] = {
    "daily-cap": ("daily_cap", None),
    "monthly-cap": ("monthly_cap", None),
    "hours": ("working_hours", None),
    "network": ("networks", ()),
    "burst-floor": ("burst_floor", None),
}
"""What is lifted: its name in the record, and what stands there without it."""


def chosen(
    present: "ChosenLimits",
    given: Mapping[str, object],
    *,
    hours: str | None,
    working_days_only: bool | None,
    lift: Collection[str],
) -> "ChosenLimits":
    """The limits after the change; a None in ``given`` leaves that limit alone.

    Raises :class:`UsageError`, and ``registry.errors.RecordInvalidError`` for a limit that cannot be.
    """
    from registry.record import build  # noqa: PLC0415  loads the library that judges records
    from registry.seal_limits import ChosenLimits  # noqa: PLC0415  as above

    values: dict[str, Any] = dict(present) | {name: value for name, value in given.items() if value is not None}
    values["working_hours"] = _hours(present, hours, working_days_only=working_days_only)
    for each in lift:
        if each not in LIFTED:
            raise UsageError(
                "limit-unknown",
                f"没有限制 {each}；可用：{'、'.join(LIFTED)}",
                f"no limit {each}; known: {', '.join(LIFTED)}",
            )
        name, nothing = LIFTED[each]
        if values[name] != getattr(present, name):
            raise UsageError(
                "limit-set-and-lifted", f"限制 {each} 既设定又取消", f"the limit {each} is both set and lifted"
            )
        values[name] = nothing
    return build(ChosenLimits, **values)


def _hours(present: "ChosenLimits", text: str | None, *, working_days_only: bool | None) -> Any:  # noqa: ANN401  judged by the record
    before = present.working_hours
    if text is None and working_days_only is None:
        return before
    if text is None and before is None:
        raise UsageError(
            "hours-missing", "未设用章时段，须以 --hours 写明", "no hours are set; expected --hours beside that choice"
        )
    opens, _, closes = (f"{before.opens}-{before.closes}" if text is None and before else str(text)).partition("-")
    if working_days_only is None:
        working_days_only = before is not None and before.working_days_only
    return {"from": opens, "until": closes, "working_days_only": working_days_only}
