"""Two administrators of an organ with keys of their own, and what they sign."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from ledger.ids import new_id
from registry.proposal_statements import DecisionClaims, ProposalClaims, sign_claims, statement_digest
from registry.proposals import Choice, Proposal, ProposalAction, content_digest
from registry.store import Act
from sealing.administration.proposals import decide, propose
from sealing.workshop import Workshop


@dataclass(frozen=True)
class Administrator:
    """A person, the organ they act for, and the registered key they sign with."""

    person: str
    organ: str
    kid: str
    key: ec.EllipticCurvePrivateKey

    def proposal(
        self, audience: str, action: ProposalAction, content: dict[str, Any], now: datetime, **changed: Any
    ) -> str:
        """The signed proposal of this content."""
        values: dict[str, Any] = {
            "v": 1,
            "id": new_id("ppl"),
            "aud": audience,
            "action": action,
            "content_digest": content_digest(content),
            "organ": self.organ,
            "person": self.person,
            "reason": "示例提案",
            "made": now,
            "expires": now + timedelta(hours=24),
        }
        return sign_claims(ProposalClaims(**{**values, **changed}), kid=self.kid, key=self.key)

    def decision(
        self, proposal: Proposal, audience: str, now: datetime, choice: Choice = "approve", **changed: Any
    ) -> str:
        """The signed decision about ``proposal``."""
        values: dict[str, Any] = {
            "v": 1,
            "id": proposal.id,
            "aud": audience,
            "action": proposal.action,
            "content_digest": proposal.content_digest,
            "organ": self.organ,
            "person": self.person,
            "reason": "示例决定",
            "made": now,
            "expires": now + timedelta(hours=1),
            "proposal_digest": statement_digest(proposal.statement),
            "decision": choice,
        }
        return sign_claims(DecisionClaims(**{**values, **changed}), kid=self.kid, key=self.key)


def both(
    shop: Workshop,
    administrators: tuple[Administrator, Administrator],
    action: ProposalAction,
    content: dict[str, Any],
    act: Act,
) -> dict[str, Any]:
    """The first proposes, the second approves; what was made."""
    first, second = administrators
    audience = shop.installation.log_origin
    made = propose(shop, action, content, first.proposal(audience, action, content, act.now), act).record
    ended = decide(shop, made.id, second.decision(made, audience, act.now), act).record
    assert ended.state == "carried_out", ended.outcome
    return dict(json.loads(ended.outcome or "{}"))
