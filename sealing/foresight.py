"""What the rules would say of a seal use, before anybody is asked to approve it. Nothing is recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger.ids import new_id
from policies.decision import Decision, Finding
from policies.rulesets import decide
from sealing.gather import gather
from sealing.inspection import Inspection, Presented
from sealing.order import Caller, Submission
from sealing.parts import seal_parts
from sealing.preparation import inspection_arguments
from sealing.workshop import Workshop

OF_THE_APPROVAL: Final = frozenset({"principal_approved", "approval_fresh", "approval_assurance", "two_persons"})
"""Rules about an approval, which cannot hold before there is one."""
STATED: Final = "document_states_facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """The findings as they would be now, and the names of values that the approver would have to confirm by eye."""

    decision: Decision
    to_confirm: tuple[str, ...]
    pages: int

    @property
    def awaited(self) -> tuple[Finding, ...]:
        """Findings that wait for the approval, or for what the approver confirms."""
        return tuple(each for each in self.decision.refusals if self._waits(each))

    @property
    def obstacles(self) -> tuple[Finding, ...]:
        """Findings that no approval can help: asking for one would be in vain."""
        return tuple(each for each in self.decision.refusals if not self._waits(each))

    def _waits(self, finding: Finding) -> bool:
        return finding.code in OF_THE_APPROVAL or (finding.code == STATED and bool(self.to_confirm))


def foresee(shop: Workshop, submission: Submission, caller: Caller, now: datetime) -> Foresight:
    """Decide as if it were sealed now, without an approval.

    Raises ``sandbox`` errors for a document that is too expensive to look at, ``registry`` and ``ledger`` errors.
    """
    answer = shop.workers.call(
        "signer.desk:inspect_document",
        inspection_arguments(shop, submission),
        seconds=shop.seconds_for(submission.source),
    )
    inspection = Inspection.of(answer)
    presented = Presented(
        order=submission.order,
        caller=caller,
        application=new_id("app"),
        digest=submission.document,
        inspection=inspection,
    )
    with shop.database.read() as connection:
        parts = seal_parts(connection, shop.registry, submission.order.seal)
        facts = gather(connection, shop, presented, parts, now).facts
    document = facts.document
    stated = () if document is None else document.statements
    return Foresight(
        decision=decide(facts),
        to_confirm=tuple(each.name for each in stated if not each.found),
        pages=inspection.pages,
    )
