"""Collect every fact of a seal use, under the lock of its agreement, from rows that fit the ledger.

Each registry row is read through the store, which compares it with the entry that wrote it; a row that was changed
behind the service's back stops the use. What is not registered is None, and the rules refuse it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ledger.canonical import canonical
from policies.facts import (
    AgreementFacts,
    ApprovalFacts,
    CallerFacts,
    DocumentFacts,
    Facts,
    ItemFacts,
    ItemKey,
    NumberConflict,
    PersonFacts,
    SealFacts,
    SetupFacts,
)
from registry import consumed_approvals, numbers
from registry.approval import ApprovalEvidenceError, ApprovalStatement, read_statement
from registry.approval_facts import approval_facts, refused_approval_facts
from registry.calendar import Calendar
from registry.catalogue import item_facts, item_in_force, setup_in_force
from registry.catalogue_rows import CatalogueItem, SetupRow
from registry.facts import agreement_facts, certificate_facts, organ_facts, person_facts, seal_facts
from registry.numbers import NumberUse
from registry.records import (
    Agreement,
    CalendarDay,
    ClientApprovalKey,
    Organ,
    Person,
    PersonKey,
    PilotRegion,
    RoleAssignment,
    Seal,
    SealKey,
)
from registry.statements import RegisteredKey
from registry.store import Stored
from sealing import impressions
from sealing.applications import Counted
from sealing.order import Caller, Order, Submission, request_facts
from sealing.preparation import Inspection, Pins, Preparation, SealParts, seal_parts
from sealing.statements import statements
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The facts, the records behind them, and what the entries tell about both."""

    facts: Facts
    parts: SealParts | None
    grantee: Stored[Organ] | None
    applicant: Stored[Person] | None
    principal: Stored[Person] | None
    approval: ApprovalStatement | None
    item: CatalogueItem | None
    document_digest: str

    @property
    def pins(self) -> Pins | None:
        """The versions that this decision rests on."""
        return None if self.parts is None else self.parts.pins
