"""From an approval statement to what the rules look at, with what the claims alone cannot tell."""

from dataclasses import dataclass
from datetime import datetime

from policies.facts import ApprovalFacts, ItemKey, ManifestLine, PersonFacts
from registry.approval import ApprovalClaims, ApprovalEvidenceError, ApprovalStatement
from registry.calendar import Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSurroundings:
    """What the registry and the record know about a statement."""

    principal: PersonFacts | None
    on_behalf_of: str | None  # natural person of the account that the statement names, if it is registered
    calendar: Calendar
    working_days: int
    used_by: str | None  # application that consumed the line of this document
    system_attested_today: int


def approval_facts(statement: ApprovalStatement, surroundings: ApprovalSurroundings, now: datetime) -> ApprovalFacts:
    """The facts of a statement whose signature was checked.

    ``evidence_valid`` is False when its key could not be used at the time of approval or cannot be now, or
    when it acts for somebody who is not registered; ``evidence_error`` says which, in both languages.
    """
    claims = statement.claims
    error = _evidence_error(statement, surroundings, now)
    due = surroundings.calendar.after_working_days(claims.not_before, surroundings.working_days)
    return ApprovalFacts(
        id=claims.id,
        assurance=statement.assurance,
        evidence_valid=error is None,
        evidence_error=error,
        principal=surroundings.principal,
        on_behalf_of=surroundings.on_behalf_of,
        applicant=claims.applicant,
        grantee=claims.grantee,
        seal=claims.seal,
        agreement=claims.agreement,
        agreement_version=claims.agreement_version,
        item=ItemKey(list=claims.item.list, number=claims.item.number),
        case_number=claims.case_number,
        basis=claims.basis,
        predecessor=claims.predecessor,
        facts=dict(claims.facts),
        final=claims.final,
        manifest=_manifest(claims),
        confirms=claims.confirms,
        not_before=claims.not_before,
        expires=claims.expires,
        fresh_until=due.at,
        used_by=surroundings.used_by,
        system_attested_today=surroundings.system_attested_today,
    )


def refused_approval_facts(error: ApprovalEvidenceError, now: datetime) -> ApprovalFacts:
    """The facts of evidence that could not be accepted: nothing of it is believed, only why is kept."""
    return ApprovalFacts(
        id="",
        assurance="system_attested",
        evidence_valid=False,
        evidence_error=str(error),
        principal=None,
        on_behalf_of=None,
        applicant="",
        grantee="",
        seal="",
        agreement="",
        agreement_version=0,
        item=ItemKey(list="", number=0),
        case_number="",
        basis="new",
        predecessor=None,
        facts={},
        final=False,
        manifest=(),
        confirms=(),
        not_before=now,
        expires=now,
        fresh_until=now,
        used_by=None,
        system_attested_today=0,
    )


def _evidence_error(statement: ApprovalStatement, surroundings: ApprovalSurroundings, now: datetime) -> str | None:
    for moment in (statement.claims.not_before, now):
        if not statement.key.valid_at(moment):
            at = moment.isoformat()
            return f"密钥 {statement.key.id} 在 {at} 不可用 / key {statement.key.id} could not be used at {at}"
    acting_for = statement.claims.on_behalf_of
    if acting_for is not None and surroundings.on_behalf_of is None:
        return f"所代表的 {acting_for} 未登记 / {acting_for}, who is acted for, is not registered"
    return None


def _manifest(claims: ApprovalClaims) -> tuple[ManifestLine, ...]:
    return tuple(
        ManifestLine(
            digest=line.digest,
            kind=line.kind,
            copy=line.copy_,
            document_number=line.document_number,
            licence_number=line.licence_number,
            placement=line.placement,
        )
        for line in claims.manifest
    )
