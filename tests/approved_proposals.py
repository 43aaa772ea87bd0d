"""An act with an approved proposal behind it, for tests of what the act does; how it is approved is tried elsewhere."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from registry_samples import proposal

from ledger.canonical import canonical
from ledger.ids import new_id
from registry.proposals import ProposalAction, content_digest, decided
from registry.store import Act
from sealing.administration.acts import acting, put
from sealing.workshop import Workshop


def approved(shop: Workshop, act: Act, action: ProposalAction, **content: Any) -> Act:
    """``act`` with a proposal for exactly this content that a second person approved."""
    opened = proposal(
        id=new_id("ppl"),
        action=action,
        content=canonical(content).decode(),
        content_digest=content_digest(content),
        proposed_at=act.now,
        expires=act.now + timedelta(hours=1),
    )
    with acting(shop, act) as changes:
        before = put(changes, opened)
        after = decided(opened, "approve", jws="a.b.c", person="per-" + "t" * 26, reason="同意", now=act.now)
        put(changes, after, replaces=before, verb="approved")
    return replace(act, proposal=opened.id)
