"""Two-person control: what one administrator proposes and another decides, each in a signed statement.

`docs/proposals.md` tells the claims in words. Both statements name the proposal, the installation, the action
and the digest of the exact content, so neither can be used for anything else. Functions here read no clock and
no database.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from ledger.canonical import canonical
from registry.errors import TransitionError
from registry.fields import Digest, OrganCode, RecordId, Text, UtcTime
from registry.record import Record, build

ProposalAction = Literal[
    "issue_seal",
    "rotate_key",
    "cancel_seal",
    "destroy_seal",
    "backdate_revocation",
    "change_agreement",
    "change_catalogue",
    "restore_backup",
    "add_administrator",
]
"""What takes two persons."""
ProposalState = Literal["open", "approved", "rejected", "expired", "carried_out", "failed"]
Choice = Literal["approve", "reject"]

LONGEST_LIFE: Final = timedelta(hours=72)
"""How long a proposal may wait for its decision."""
_Json = Annotated[str, StringConstraints(min_length=2, max_length=8_000_000)]
_Jws = Annotated[str, Field(max_length=65_536)]


class Proposal(Record):
    """One act that waits for a second person, or had its end. The id is the proposer's choice and is used once."""

    action: ProposalAction
    organ: OrganCode  # whose administrators propose and decide
    content: _Json  # canonical JSON: everything that will be done
    content_digest: Digest
    reason: Text
    statement: _Jws
    proposed_by: RecordId
    proposed_at: UtcTime
    expires: UtcTime
    state: ProposalState = "open"
    decision: _Jws | None = None
    decided_by: RecordId | None = None
    decided_at: UtcTime | None = None
    decision_reason: Text | None = None
    ended_at: UtcTime | None = None
    outcome: _Json | None = None  # canonical JSON: the ids of what was made, or why it could not be

    @model_validator(mode="after")
    def _content_is_what_was_signed(self) -> Self:
        if self.content_digest != "sha256:" + sha256(self.content.encode()).hexdigest():
            raise ValueError("内容与摘要不符 / the content is not what its digest says")
        return self

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be decided."""
        return self.state == "open" and now < self.expires


def content_digest(content: dict[str, Any]) -> str:
    """``sha256:<64 hex>`` over the canonical JSON of ``content``: what both statements name."""
    return "sha256:" + sha256(canonical(content)).hexdigest()


def decided(proposal: Proposal, choice: Choice, *, jws: str, person: str, reason: str, now: datetime) -> Proposal:
    """The proposal once its decision is in. Raises :class:`TransitionError` ``proposal-not-open``."""
    if not proposal.is_open(now):
        found = "expired" if proposal.state == "open" else proposal.state
        raise TransitionError(
            "proposal-not-open",
            f"提案状态为 {found}，应为 open 方可决定",
            f"the proposal is {found}; only an open one can be decided",
        )
    changes: dict[str, Any] = {
        "state": "approved" if choice == "approve" else "rejected",
        "decision": jws,
        "decided_by": person,
        "decided_at": now,
        "decision_reason": reason,
        "ended_at": None if choice == "approve" else now,
    }
    return build(Proposal, **{**dict(proposal), **changes})


def expired(proposal: Proposal, *, now: datetime) -> Proposal:
    """The proposal that nobody decided in time. Raises :class:`TransitionError` ``proposal-change-refused``."""
    if proposal.state != "open" or now < proposal.expires:
        raise _refused(proposal, "expired", "open, past its time")
    return build(Proposal, **{**dict(proposal), "state": "expired", "ended_at": now})


def ended(
    proposal: Proposal, state: Literal["carried_out", "failed"], outcome: dict[str, Any], *, now: datetime
) -> Proposal:
    """The approved proposal after its act. Raises :class:`TransitionError` ``proposal-change-refused``."""
    if proposal.state != "approved":
        raise _refused(proposal, state, "approved")
    changes = {"state": state, "outcome": canonical(outcome).decode(), "ended_at": now}
    return build(Proposal, **{**dict(proposal), **changes})


def _refused(proposal: Proposal, state: str, expected: str) -> TransitionError:
    return TransitionError(
        "proposal-change-refused",
        f"提案状态为 {proposal.state}，不能成为 {state}；应为 {expected}",
        f"the proposal is {proposal.state} and cannot become {state}; expected {expected}",
    )
