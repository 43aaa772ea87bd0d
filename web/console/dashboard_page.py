"""``/console/dashboard``: how seals were used in the last days, in pictures with their tables, and what ends soon."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.service import Service, Serving
from policies.facts import ItemKey
from registry.persons import AssignedRole
from registry.records import Organ
from sealing.choices import item_name
from sealing.expiring import SOON, expiring
from sealing.statistics import DAYS, Side, Uses, statistics
from web.charts import Row, bars, columns
from web.console.entrance import APPROVERS, GRANTOR, Present, entrance
from web.reading import reading_of
from web.templates import page
from web.words import Words

router: Final = APIRouter(prefix="/console/dashboard", include_in_schema=False)
GRANTEE: Final[tuple[AssignedRole, ...]] = (*APPROVERS, "seal_user", "custodian")
Viewer = Annotated[Present, entrance(GRANTOR, *GRANTEE)]
SHOWN: Final = 10
"""Lines of a table; the rest are summed in one more."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@router.get("", operation_id="showDashboard")
def show_dashboard(request: Request, service: Serving, present: Viewer) -> Response:
    """A grantor's administrator sees what it lends, everybody else what their organ uses."""
    side: Side = "grantor" if present.has(GRANTOR) else "grantee"
    organs = present.organs(GRANTOR) if side == "grantor" else present.organs(*GRANTEE)
    words, now = Words(reading_of(request).language), service.now()
    with service.shop.database.read() as connection:
        counted = statistics(connection, organs, side=side, now=now)
        items = _named(counted.items, lambda key: _item(service, connection, key, now), words)
        others = _named(counted.organs, lambda code: _organ(service, connection, code), words)
        ending = expiring(connection, service.shop, organs, now)
    waiting = counted.waiting
    by_day = [(day.isoformat(), uses) for day, uses in counted.days]
    return page(
        request,
        "console/dashboard.html",
        present=present,
        side=side,
        days=DAYS,
        soon=SOON.days,
        total=counted.total,
        waiting=None if waiting is None else (_duration(waiting.half, words), _duration(waiting.most, words)),
        by_day=(by_day, columns([_row(day, uses) for day, uses in by_day])),
        by_item=(items, bars([_row(name, uses) for name, uses in items])),
        by_organ=(others, bars([_row(name, uses) for name, uses in others])),
        by_rule=(counted.rules, bars([(rule, (("refused", number),)) for rule, number in counted.rules])),
        ending=ending,
    )


def _row(name: str, uses: Uses) -> Row:
    return name, (("done", uses.done), ("refused", uses.refused))


def _named(counted: Sequence[tuple[str, Uses]], name: Callable[[str], str], words: Words) -> list[tuple[str, Uses]]:
    shown = [(name(key), uses) for key, uses in counted[:SHOWN]]
    rest = [uses for _, uses in counted[SHOWN:]]
    if rest:
        left = Uses(done=sum(each.done for each in rest), refused=sum(each.refused for each in rest))
        shown.append((words("others"), left))
    return shown


def _item(service: Service, connection: Any, key: str, now: datetime) -> str:  # noqa: ANN401  a connection
    """The item's name now; an order may have named anything, and then that is shown."""
    catalogue, _, number = key.rpartition(" ")
    if not catalogue or not number.isdecimal():
        return key or "–"
    return item_name(connection, service.shop, ItemKey(list=catalogue, number=int(number)), now)


def _organ(service: Service, connection: Any, code: str) -> str:  # noqa: ANN401  a connection
    found = service.shop.registry.look_one(connection, Organ, code=code) if code else None
    return code or "–" if found is None else found.record.legal_name


def _duration(seconds: int, words: Words) -> str:
    """To the unit that people would say it in, rounded up."""
    for name, unit, limit in (("seconds", 1, _MINUTE), ("minutes", _MINUTE, _HOUR), ("hours", _HOUR, 2 * _DAY)):
        if seconds < limit:
            return words(f"duration_{name}", count=-(-seconds // unit))
    return words("duration_days", count=-(-seconds // _DAY))
