"""What one person alone cannot do: an act has to name the proposal that a second person approved for it."""

import json

from registry.changes import Changes
from registry.errors import TransitionError
from registry.proposals import Proposal, ProposalAction
from sealing.grounds import Consent


def require(changes: Changes, *actions: ProposalAction, **about: str) -> Proposal:
    """The approved proposal that this act carries out, read in the act's own transaction.

    It is asked for inside the function that acts, so no route, command or program can do the act with one person.
    ``about`` is what the content must name, e.g. ``seal``: an approval counts for nothing else. Raises
    :class:`TransitionError` ``two-persons-needed`` unless the act names a proposal in state ``approved`` whose
    action is one of ``actions``, or ``proposal-about-another``; and ``registry.errors.RowTamperedError``.
    """
    named = changes.act.proposal
    stored = changes.store.look(changes.connection, Proposal, named) if named is not None else None
    if stored is None or stored.record.state != "approved" or stored.record.action not in actions:
        raise needed(*actions, found=stored.record if stored else None)
    content = json.loads(stored.record.content)
    for name, value in about.items():
        if content.get(name) != value:
            raise TransitionError(
                "proposal-about-another",
                f"获批准的提案所载 {name} 为 {content.get(name)}，此事为 {value}",
                f"the approved proposal names {name} {content.get(name)}, this act is about {value}",
            )
    return stored.record


def needed(*actions: ProposalAction, found: Proposal | None = None) -> TransitionError:
    """The error of an act that has no second person behind it, naming what was found and what was expected."""
    wanted = " / ".join(actions)
    zh = f"{found.action}，状态 {found.state}" if found else "没有提案"
    en = f"a proposal to {found.action} that is {found.state}" if found else "no proposal"
    return TransitionError(
        "two-persons-needed",
        f"此事须由两人办理：应有经另一人批准的提案（{wanted}），实为{zh}",
        f"this takes two persons: expected a proposal to {wanted} that another person approved, found {en}",
    )


def consent(changes: Changes) -> Consent | None:
    """The two statements behind this act, for a keystore that asks for them; None where no proposal is behind it."""
    named = changes.act.proposal
    stored = changes.store.look(changes.connection, Proposal, named) if named is not None else None
    if stored is None or stored.record.decision is None:
        return None
    return Consent(proposal=stored.record.statement, decision=stored.record.decision, content=stored.record.content)
