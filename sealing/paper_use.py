"""The physical twin of a seal, used while the service could not be reached: recorded, judged, never blocked.

The same rules are applied, but their findings only inform, so that one register is complete. What only an
electronic document can show (its digest, its text, its certificate) is missing and said to be missing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.entry import Draft
from ledger.ids import new_id
from policies.rulesets import decide
from sealing.entries import decision_group, findings_json
from sealing.errors import OrderError
from sealing.gather import gather
from sealing.inspection import Presented
from sealing.order import Caller, Order
from sealing.parts import seal_parts
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperUse:
    """One use of the physical seal, as reported."""

    order: Order
    used_at: datetime
    reason: str
    approver: str | None  # person who signed on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPaperUse:
    """The entry of a paper use and what the rules say about it."""

    id: str
    entry: int
    findings: list[dict[str, Any]]


def paper_use(shop: Workshop, use: PaperUse, caller: Caller, now: datetime) -> RecordedPaperUse:
    """Record a use of the physical seal [000 二(三)]. Raises :class:`OrderError` for a time in the future."""
    if use.used_at > now:
        raise OrderError(
            "used-in-the-future",
            f"用章时间 {use.used_at.isoformat()} 晚于现在 {now.isoformat()}",
            f"the time of use {use.used_at.isoformat()} is after now, {now.isoformat()}",
        )
    paper = new_id("pap")
    with shop.database.write() as connection:
        presented = Presented(order=use.order, caller=caller, application=paper)
        parts = seal_parts(connection, shop.registry, use.order.seal, lock=True)
        gathered = gather(connection, shop, presented, parts, now)
        decision = decide(gathered.facts)
        persons = gathered.persons_group() | {"principal": use.approver}
        draft = Draft(
            kind="paper.used",
            subjects=(paper,),
            groups={
                "application": {"application": paper, "client": caller.client},
                "paper": {"used_at": use.used_at.isoformat(), "reason": use.reason},
                "case": gathered.case_group(),
                "numbers": gathered.numbers_group(),
                "persons": persons,
                "seal": gathered.seal_group(),
                "decision": decision_group(gathered, decision),
            },
        )
        entry = shop.book.append(connection, draft, now)
    return RecordedPaperUse(id=paper, entry=entry.index, findings=findings_json(decision))
