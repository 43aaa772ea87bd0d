"""Alerts: uses of a seal beyond its usual pattern, told to those who look after it."""

from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.bodies import Answer, Limit, Page
from api.callers import Overseer, Requester
from api.service import Serving
from sealing.alerts import Alert, Selection, listed

router: Final = APIRouter(prefix="/v1/alerts", tags=["register"])


class AlertAnswer(Answer):
    """One alert. ``threshold`` uses in the hour since ``since`` would still have been usual for the seal."""

    id: str
    entry: int
    time: datetime
    seal: str
    seal_name: str
    grantor: str
    grantee: str
    impression: str
    client: str
    address: str | None
    uses: int
    since: str
    threshold: int
    floor: int
    factor: int
    busiest: int
    suspended: bool


@router.get("", operation_id="listAlerts")
def list_alerts(
    service: Serving,
    caller: Overseer,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=-1)] = -1,
    seal: Annotated[str | None, Query(max_length=60)] = None,
) -> Page[AlertAnswer]:
    """Alerts in the order of the record: about the seals of the caller's organs, or all for operator and auditor."""
    with service.shop.database.read() as connection:
        alerts = listed(connection, service.shop, Selection(after=after, seal=seal))
        found = list(islice((each for each in alerts if _sees(caller, each)), limit))
    following = str(found[-1].entry) if len(found) == limit else None
    return Page(entries=[AlertAnswer(**asdict(each)) for each in found], next=following)


def _sees(caller: Requester, alert: Alert) -> bool:
    return bool({"operator", "auditor"} & set(caller.roles)) or caller.acts_for(alert.grantor)
