"""What the seal cycle writes into the record: one function a kind of entry.

The subjects are the ids of impression, application and attempt; an intent also names the line of the approval that it
consumes and its numbers, so that a row taken out of the tables of consumed approvals and numbers in use is missed.
Intent, impression and abandonment also name their signature, so that whoever holds the file can ask what became of it.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.book import Witnessed
from ledger.canonical import JsonValue
from ledger.entry import Draft
from ledger.moments import to_text
from policies.decision import Decision, Finding
from policies.facts import to_json
from registry.record import derived_id
from sealing.applications import Attempt
from sealing.check_codes import check_subject
from sealing.gather import Gathered
from sealing.levels import FinishedFile
from sealing.preparation import Preparation


def signature_subject(to_be_signed: str) -> str:
    """The ledger subject of one signature, from the digest of the bytes that the key signs.

    It tells nothing to anyone without the signed file: the bytes hold the digest of a document.
    """
    return derived_id("sig", to_be_signed)


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding as restricted JSON."""
    return {
        "code": finding.code,
        "passed": finding.passed,
        "zh": finding.zh,
        "en": finding.en,
        "source": finding.source,
    }


def findings_json(decision: Decision) -> list[dict[str, Any]]:
    """The findings as restricted JSON, in the order of the rules."""
    return [finding_json(finding) for finding in decision.findings]


def calling(gathered: Gathered) -> dict[str, Any]:
    """Which client called, and from where; the entry of an impression has no address, because receipts show it."""
    return {"client": gathered.facts.caller.client, "address": gathered.facts.caller.address}


def decision_group(gathered: Gathered, decision: Decision) -> dict[str, Any]:
    """Rule set, all inputs and all findings: enough to decide again."""
    return {
        "rule_set": decision.rule_set,
        "allowed": decision.allowed,
        "facts": to_json(gathered.facts),
        "findings": findings_json(decision),
    }


def refusal_draft(application: str, gathered: Gathered, decision: Decision) -> Draft:
    """The entry of a refused seal use; it stands in the usage register like an impression."""
    return Draft(
        kind="seal.refused",
        subjects=(application,),
        groups={
            "application": {"application": application, **calling(gathered)},
            "document": {"source_digest": gathered.document_digest},
            "case": gathered.case_group(),
            "numbers": gathered.numbers_group(),
            "persons": gathered.persons_group(),
            "seal": gathered.seal_group(),
            "decision": decision_group(gathered, decision),
        },
    )


def intent_draft(
    application: str,
    attempt: str,
    gathered: Gathered,
    decision: Decision,
    preparation: Preparation,
    lease_until: datetime,
) -> Draft:
    """The entry that must be committed before the key may be used."""
    prepared = preparation.prepared
    return Draft(
        kind="seal.intended",
        subjects=(
            attempt,
            application,
            *gathered.approval_line(),
            *gathered.number_subjects,
            signature_subject(preparation.to_be_signed_digest),
        ),
        groups={
            "application": {
                "application": application,
                "attempt": attempt,
                **calling(gathered),
                "lease_until": to_text(lease_until),
            },
            "document": {
                "source_digest": preparation.source_digest,
                "source_length": prepared.layout.source_length,
                "byte_range_digest": "sha256:" + prepared.byte_range_digest.hex(),
                "to_be_signed": preparation.to_be_signed_digest,
                "key": preparation.key.ref,
                "level_asked": preparation.level.asked,
            },
            "case": gathered.case_group(),
            "numbers": gathered.numbers_group(),
            "persons": gathered.persons_group(),
            "approval": gathered.approval_group(),
            "seal": gathered.seal_group(),
            "decision": decision_group(gathered, decision),
        },
    )


def with_lower_bound(draft: Draft, witnessed: Witnessed | None) -> Draft:
    """``draft`` with the last tree head that a witness cosigned: the entry is not older than that."""
    if witnessed is None:
        return draft
    bound: JsonValue = {"size": witnessed.size, "root": witnessed.root.hex(), "time": to_text(witnessed.time)}
    return replace(draft, groups={**draft.groups, "witnessed": bound})


def impression_draft(
    impression: str,
    attempt: Attempt,
    gathered: Gathered,
    decision: Decision,
    preparation: Preparation,
    finished: FinishedFile,
) -> Draft:
    """The entry of one seal put on one PDF. ``sealed_digest`` and ``sealed_length`` are of the whole file delivered."""
    sealed = finished.sealed
    return Draft(
        kind="seal.impressed",
        subjects=(
            impression,
            attempt.application,
            attempt.id,
            signature_subject(preparation.to_be_signed_digest),
            check_subject(preparation.check_code),
        ),
        groups={
            "application": {
                "impression": impression,
                "application": attempt.application,
                "attempt": attempt.id,
                "intent_entry": attempt.intent_entry,
                "client": gathered.facts.caller.client,
            },
            "document": {
                "source_digest": preparation.source_digest,
                "source_length": sealed.source_length,
                "byte_range_digest": "sha256:" + sealed.byte_range_digest.hex(),
                "sealed_digest": finished.digest,
                "sealed_length": finished.whole.length,
                "check_code": preparation.check_code,
                "check_mark": preparation.check_mark,
                **finished.facts(),
            },
            "case": gathered.case_group(),
            "numbers": gathered.numbers_group(),
            "persons": gathered.persons_group(),
            "approval": gathered.approval_group(),
            "seal": gathered.seal_group(),
            "decision": {
                "rule_set": decision.rule_set,
                "allowed": decision.allowed,
                "findings": findings_json(decision),
            },
        },
    )


def abandonment_draft(attempt: Attempt, *, reason: str, key_used: bool) -> Draft:
    """The entry of an attempt that was given up. ``to_be_signed`` names the signature that never counts."""
    return Draft(
        kind="seal.abandoned",
        subjects=(attempt.id, attempt.application, signature_subject(attempt.to_be_signed)),
        groups={
            "application": {
                "application": attempt.application,
                "attempt": attempt.id,
                "intent_entry": attempt.intent_entry,
                "to_be_signed": attempt.to_be_signed,
                "key_may_have_been_used": key_used,
                "reason": reason,
            },
        },
    )
