"""The two signed statements of two persons, behind a certificate for a seal's key or the end of such a key.

Keys of both are pinned here, so that a host that serves, with its whole database, cannot make a seal by itself. A pair
serves once for what it says. That a person is an administrator is told by the registry only, and not judged here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from custody.checks.pinned_keys import PinnedKeys
from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import log_identity
from custody.requests import CheckState, UseRequest
from ledger.canonical import parse
from ledger.errors import LedgerError
from registry.errors import RegistryError
from registry.proposal_statements import check_content, check_decides, read_decision, read_proposal
from registry.proposals import ProposalAction, content_digest

PROPOSAL_KEY, DECISION_KEY = "proposal_key", "decision_key"
"""Where the grounds show the registrations of the two keys."""


def check_consent(
    request: UseRequest, state: CheckState, now: datetime, *, actions: tuple[ProposalAction, ...]
) -> tuple[str, ProposalAction, Mapping[str, Any]]:
    """The id of the approved proposal, its action, and the content that both persons signed. Refuses anything else."""
    proposal, decision, content = _brought(request)
    audience = log_identity(state).origin
    try:
        first = read_proposal(proposal, PinnedKeys(request, state, PROPOSAL_KEY), audience=audience, now=now)
        second = read_decision(decision, PinnedKeys(request, state, DECISION_KEY), audience=audience, now=now)
        check_decides(second.claims, first)
        check_content(first.claims, content_digest(content))
    except RegistryError as error:
        refuse(f"两人声明不成立：{error.zh}", f"the statements of two persons do not hold: {error.en}")
    refuse_unless(second.claims.decision == "approve", "第二人未批准", "the second person did not approve")
    one_person = first.claims.person == second.claims.person or first.key.public_key == second.key.public_key
    refuse_unless(not one_person, "两份声明出自同一人", "both statements are by one person")
    refuse_unless(
        first.claims.action in actions,
        f"获批准的是 {first.claims.action}，应为 {'、'.join(actions)}",
        f"what was approved is to {first.claims.action}, expected {' or '.join(actions)}",
    )
    return first.claims.id, first.claims.action, content


def unserved(consent: str, request: UseRequest, state: CheckState) -> None:
    """Refuses a pair of statements that served before."""
    refuse_unless(
        not state.seen(request.purpose, "consent", consent),
        f"两人声明 {consent} 已用过一次",
        f"the statements of {consent} served before; they are good for one use",
    )


def check_about(content: Mapping[str, Any], **wanted: object) -> None:
    """Refuses unless the content names exactly what is to be done."""
    different = [f"{name}={content.get(name)}" for name, value in wanted.items() if content.get(name) != value]
    refuse_unless(
        not different,
        f"两人批准的是另一件事：{'、'.join(different)}",
        f"two persons approved something else: {', '.join(different)}",
    )


def _brought(request: UseRequest) -> tuple[str, str, dict[str, Any]]:
    brought = (request.grounds or {}).get("consent")
    texts = [brought.get(each) for each in ("proposal", "decision", "content")] if isinstance(brought, Mapping) else []
    if len(texts) == 0 or not all(isinstance(each, str) for each in texts):
        refuse("没有附上两人的声明", "the statements of two persons did not come along")
    try:
        content = parse(str(texts[2]).encode())
    except LedgerError as error:
        refuse(f"两人声明的内容不可读：{error.zh}", f"the content of the statements cannot be read: {error.en}")
    if not isinstance(content, dict):
        refuse("两人声明的内容不是一个对象", "the content of the statements is no object")
    return str(texts[0]), str(texts[1]), dict(content)
