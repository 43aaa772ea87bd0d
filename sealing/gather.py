"""Collect every fact of a seal use, under the lock of its agreement, from rows that fit the ledger.

Each registry row is read through the store, which compares it with the entry that wrote it; a row that was changed
behind the service's back stops the use. What is not registered is None, and the rules refuse it.
"""

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from accounts.events import KINDS as ACCOUNT_KINDS
from policies.facts import CallerFacts, DocumentFacts, Facts, NumberConflict
from registry import numbers
from registry.agreement_terms import terms_digest
from registry.approval import ApprovalStatement
from registry.catalogue_rows import CatalogueItem
from registry.consumed_approvals import line_subject
from registry.facts import agreement_facts, certificate_facts, organ_facts
from registry.numbers import NumberUse
from registry.records import Agreement, Organ, Person
from registry.store import Stored
from sealing import impressions
from sealing.applications import Counted
from sealing.clock import Clock
from sealing.inspection import Presented
from sealing.order import Order, request_facts
from sealing.parts import Pins, SealParts, seal_parts
from sealing.reader import Reader
from sealing.statements import statements
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The facts, the records behind them, and what the entries tell about both."""

    facts: Facts
    parts: SealParts | None
    grantee: Stored[Organ] | None
    applicant: Person | None
    principal: Person | None
    custodian: Person | None
    approval: ApprovalStatement | None
    item: CatalogueItem | None
    document_digest: str | None
    requested_seal: str
    number_use: NumberUse | None
    number_subjects: tuple[str, ...]

    @property
    def pins(self) -> Pins | None:
        """The versions that this decision rests on."""
        return None if self.parts is None else self.parts.pins

    @property
    def seal_id(self) -> str:
        """The seal's id; only of use once the decision allowed."""
        return "" if self.parts is None else self.parts.seal.record.id

    @property
    def agreement_id(self) -> str:
        """The agreement's id, the lineage of its versions."""
        return "" if self.parts is None else self.parts.agreement.record.id

    @property
    def grantor_code(self) -> str:
        """The grantor's code."""
        return "" if self.facts.grantor is None else self.facts.grantor.code

    @property
    def grantee_code(self) -> str:
        """The grantee's code."""
        return "" if self.facts.grantee is None else self.facts.grantee.code

    @property
    def counted(self) -> Counted:
        """What an attempt counts against while it is alive."""
        assurance = "" if self.facts.approval is None else self.facts.approval.assurance
        return Counted(seal=self.seal_id, agreement=self.agreement_id, assurance=assurance)

    def case_group(self) -> dict[str, Any]:
        """Case, item and declared facts."""
        request = self.facts.request
        return {
            "case_number": request.case_number,
            "item": f"{request.item.list} {request.item.number}",
            "item_name": None if self.item is None else self.item.name,
            "document_kind": request.document_kind,
            "copy": request.copy,
            "basis": request.basis,
            "predecessor": request.predecessor,
            "facts": dict(request.facts),
            "final": request.final,
        }

    def numbers_group(self) -> dict[str, Any]:
        """The numbers as given."""
        request = self.facts.request
        return {
            "document_number": request.document_number,
            "licence_number": request.licence_number,
            "filing_number": request.filing_number,
        }

    def persons_group(self) -> dict[str, Any]:
        """Who applied, who approved, who keeps the seal."""
        custodian = None if self.facts.seal is None else self.facts.seal.custodian
        approval = self.facts.approval
        return {
            "applicant": self.facts.request.applicant,
            "applicant_name": None if self.applicant is None else self.applicant.name,
            "principal": None if approval is None or approval.principal is None else approval.principal.id,
            "principal_name": None if self.principal is None else self.principal.name,
            "on_behalf_of": None if approval is None else approval.on_behalf_of,
            "custodian": None if custodian is None else custodian.id,
            "custodian_name": None if self.custodian is None else self.custodian.name,
        }

    def approval_group(self) -> dict[str, Any]:
        """The evidence itself, so that whoever holds the receipt can check it."""
        if self.approval is None:
            return {"id": None, "assurance": None, "jws": None, "key": None}
        key = self.approval.key
        return {
            "id": self.approval.claims.id,
            "assurance": self.approval.assurance,
            "jws": self.approval.jws,
            "key": {
                "id": key.id,
                "kind": key.kind,
                "holder": key.holder,
                "public_key": b64encode(key.public_key).decode(),
                **({} if key.passkey is None else {"passkey": key.passkey.model_dump(mode="json")}),
            },
        }

    def approval_line(self) -> tuple[str, ...]:
        """The ledger subject of the line of the approval that this document uses up."""
        if self.approval is None or self.document_digest is None:
            return ()
        return (line_subject(self.approval.claims.id, self.document_digest),)

    def seal_group(self) -> dict[str, Any]:
        """Seal, agreement and both organs."""
        if self.parts is None:
            return {
                "seal": self.requested_seal,
                "seal_name": None,
                "grantor_code": None,
                "grantee_code": None,
            }
        seal, key, agreement = self.parts.seal.record, self.parts.key.record, self.parts.agreement.record
        return {
            "seal": seal.id,
            "seal_name": seal.name,
            "seal_number": seal.number,
            "certificate_serial": key.serial,
            "specimen": key.issuer == "internal",
            "agreement_id": agreement.id,
            "agreement": agreement.terms.number,
            "agreement_version": agreement.current.number,
            "terms_digest": terms_digest(agreement.terms),
            "regime": agreement.terms.regime,
            "grantor_code": self.parts.grantor.record.code,
            "grantor_name": self.parts.grantor.record.legal_name,
            "grantee_code": agreement.terms.grantee,
            "grantee_name": None if self.grantee is None else self.grantee.record.legal_name,
        }


def gather(
    connection: Connection, shop: Workshop, presented: Presented, parts: SealParts | None, now: datetime
) -> Gathered:
    """All facts at ``now``. ``parts`` were read with the agreement's row locked until the transaction ends.

    Raises ``registry.errors.RowTamperedError`` and ``ledger`` errors when a row does not fit its entry.
    """
    order, caller, application = presented.order, presented.caller, presented.application
    reader = Reader(connection, shop, now)
    agreement = None if parts is None else parts.agreement.record
    grantee = None if agreement is None else reader.organ(agreement.terms.grantee)
    row = reader.item(order)
    evidence = reader.evidence(presented.approval, caller.client)
    statement = evidence.statement
    principal = None if statement is None else reader.person(statement.claims.principal)
    applicant = reader.person(order.applicant)
    custodian = None if parts is None else reader.person(parts.seal.record.custodian)
    use = None if parts is None else _number_use(order, parts, application)
    facts = Facts(
        now=now,
        caller=CallerFacts(client=caller.client, organs=caller.organs, address=caller.address),
        request=request_facts(order, application, order.placement_text()),
        agreement=None if agreement is None else agreement_facts(agreement),
        grantor=None if parts is None else organ_facts(parts.grantor.record),
        grantee=None if grantee is None else organ_facts(grantee.record),
        setup=reader.setup(agreement, grantee),
        seal=reader.seal_facts(parts, application, custodian),
        item=reader.item_facts(row, order, parts),
        applicant=reader.person_facts(applicant),
        approval=reader.approval_facts(parts, evidence, presented, principal),
        document=_document(presented, row, statement),
        certificate=None if parts is None else certificate_facts(parts.key.record),
        number_conflicts=None if use is None else _number_conflicts(connection, shop, use),
        limits=reader.limit_facts(parts, application),
    )
    return Gathered(
        facts=facts,
        parts=parts,
        grantee=grantee,
        applicant=applicant,
        principal=principal,
        custodian=custodian,
        approval=statement,
        item=row,
        document_digest=presented.digest,
        requested_seal=order.seal,
        number_use=use,
        number_subjects=() if use is None else numbers.number_subjects(use, shop.persons_secret),
    )


CHANGES_NO_ROW = frozenset(
    {
        "seal.intended",
        "seal.impressed",
        "seal.refused",
        "seal.abandoned",
        "seal.renewed",
        "seal.alerted",
        "application.received",
        "application.rejected",
        "application.withdrawn",
        "approval.brought",
        "paper.used",
        *ACCOUNT_KINDS,
    }
)
"""Kinds of entries that go with no change of a registry row; every other kind may."""


def gather_again(
    connection: Connection,
    shop: Workshop,
    presented: Presented,
    *,
    before: Gathered,
    since: int,
    clock: Clock,
    holds: bool = False,
) -> tuple[Gathered, datetime]:
    """The facts and their moment, under the locks of the agreement and of the record's head.

    Every change of a registry row is a ledger entry, and none can be added while the head is held. So when no such
    entry stands behind entry ``since``, the rows are those that ``before`` was gathered from, and only the moment,
    the counts and what other seal uses took are new. Otherwise everything is gathered again. ``holds`` says that the
    application itself holds its numbers and its line of the approval since ``before``, so that nobody else can.
    """
    if before.parts is not None:
        shop.registry.hold(connection, Agreement, before.agreement_id)
    shop.book.hold(connection)
    now = clock()
    if before.parts is None or shop.book.kinds_after(connection, since) - CHANGES_NO_ROW:
        parts = seal_parts(connection, shop.registry, presented.order.seal)
        return gather(connection, shop, presented, parts, now), now
    facts = _counted_again(Reader(connection, shop, now), before, presented)
    return replace(before, facts=facts if holds else _taken_again(connection, shop, before, presented, facts)), now


def _counted_again(reader: Reader, before: Gathered, presented: Presented) -> Facts:
    facts, application, connection, now = before.facts, presented.application, reader.connection, reader.now
    used = impressions.used_today(connection, before.seal_id, application=application, now=now)
    attested = _attested_today(connection, before, application, now)
    return replace(
        facts,
        now=now,
        seal=None if facts.seal is None else replace(facts.seal, used_today=used),
        approval=None if facts.approval is None else replace(facts.approval, system_attested_today=attested),
        limits=reader.limit_facts(before.parts, application),
    )


def _taken_again(connection: Connection, shop: Workshop, before: Gathered, presented: Presented, facts: Facts) -> Facts:
    approval, statement, use = facts.approval, before.approval, before.number_use
    if approval is not None and statement is not None:
        holder = Reader(connection, shop, facts.now).used_by(statement, presented)
        approval = replace(approval, used_by=holder)
    conflicts = None if use is None else _number_conflicts(connection, shop, use)
    return replace(facts, approval=approval, number_conflicts=conflicts)


def _attested_today(connection: Connection, before: Gathered, application: str, now: datetime) -> int:
    if before.approval is None or before.approval.assurance != "system_attested":
        return 0
    return impressions.attested_today(connection, before.agreement_id, application=application, now=now)


def _number_conflicts(connection: Connection, shop: Workshop, use: NumberUse) -> tuple[NumberConflict, ...]:
    numbers.check_reserved(connection, shop.book, use, shop.persons_secret)
    return numbers.conflicts(connection, use)


def _number_use(order: Order, parts: SealParts, application: str) -> NumberUse:
    return NumberUse(
        grantor=parts.grantor.record.code,
        lineage=parts.agreement.record.id,
        application=application,
        case_number=order.case_number,
        kind=order.document_kind,
        copy=order.copy_,
        basis=order.basis,
        predecessor=order.predecessor,
        document_number=order.document_number,
        licence_number=order.licence_number,
    )


def _document(
    presented: Presented, item: CatalogueItem | None, statement: ApprovalStatement | None
) -> DocumentFacts | None:
    inspection = presented.inspection
    if inspection is None or presented.digest is None:
        return None
    confirms = () if statement is None else tuple(statement.confirms)
    names = () if item is None else (item.name, *item.aliases)
    return DocumentFacts(
        digest=presented.digest,
        pages=inspection.pages,
        objections=inspection.objections,
        statements=statements(presented.order, names, inspection.texts, confirms),
        issuer_line=inspection.issuer_line,
        issuer_confirmed="issuer" in confirms,
    )
