"""Two persons who say that a restore may roll the ledger back: their signed statements, checked without a service.

The keys, persons and roles are those of the registry in the backup, so nobody who was registered after it counts.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from registry.keys import registered_key
from registry.persons import Person, PersonKey, RoleAssignment
from registry.proposal_statements import (
    DecisionClaims,
    ProposalClaims,
    check_content,
    check_decides,
    check_two_humans,
    read_decision,
    read_proposal,
)
from registry.proposals import content_digest
from registry.statements import RegisteredKey
from sealing.errors import BackupError
from sealing.workshop import Workshop

ACTION = "restore_backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A proposal and its approval, as compact JWS."""

    proposal: str
    decision: str


def rollback_content(backup: str, *, known: int, entries: int) -> dict[str, str | int]:
    """What both statements are over: the backup (``sha256:…``), the entries known of, and those it brings back."""
    return {"backup": backup, "from_size": known, "to_size": entries}


def check_consent(shop: Workshop, consent: Consent, content: dict[str, str | int], now: datetime) -> tuple[str, str]:
    """The ids of the two persons. Raises ``EvidenceError``, :class:`BackupError`."""
    audience = shop.installation.log_origin
    with shop.database.read() as connection:

        def find(kid: str) -> RegisteredKey | None:
            stored = shop.registry.look(connection, PersonKey, kid)
            return registered_key(stored.record) if stored else None

        proposal = read_proposal(consent.proposal, find, audience=audience, now=now)
        decision = read_decision(consent.decision, find, audience=audience, now=now)
        check_decides(decision.claims, proposal)
        check_content(proposal.claims, content_digest(content))
        if proposal.claims.action != ACTION or decision.claims.decision != "approve":
            raise BackupError(
                "restore-not-approved",
                f"声明为 {proposal.claims.action}、{decision.claims.decision}，应为 {ACTION}、approve",
                f"the statements say {proposal.claims.action} and {decision.claims.decision},"
                f" expected {ACTION} and approve",
            )
        first, second = (_administrator(shop, connection, each.claims, now) for each in (proposal, decision))
    check_two_humans(first, second)
    return first.id, second.id


def _administrator(
    shop: Workshop, connection: Connection, claims: ProposalClaims | DecisionClaims, now: datetime
) -> Person:
    roles = shop.registry.find(connection, RoleAssignment, person=claims.person)
    if not any(
        role.record.role == "grantor_administrator"
        and role.record.organ == claims.organ
        and role.record.valid_from <= now
        and (role.record.valid_until is None or now < role.record.valid_until)
        for role in roles
    ):
        raise BackupError(
            "restore-not-administrator",
            f"备份的登记中 {claims.person} 不是 {claims.organ} 的管理员",
            f"in the backup's registry {claims.person} is no administrator of {claims.organ}",
        )
    return shop.registry.get(connection, Person, claims.person).record
