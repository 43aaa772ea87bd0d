"""Reads the registry for one decision: each record checked against its ledger entry, each person once."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from policies.facts import ApprovalFacts, ItemFacts, ItemKey, LimitFacts, PersonFacts, SealFacts, SetupFacts
from policies.folding import fold
from registry import consumed_approvals
from registry.approval import ApprovalEvidenceError, ApprovalStatement, read_statement
from registry.approval_facts import ApprovalSurroundings, approval_facts, refused_approval_facts
from registry.calendar import Calendar
from registry.catalogue import item_facts, item_in_force, setup_in_force
from registry.catalogue_rows import CatalogueItem, PilotRegion, SetupRow
from registry.china_time import BEIJING
from registry.facts import Represented, limit_facts, person_facts, seal_facts
from registry.keys import approval_keys
from registry.records import (
    Agreement,
    CalendarDay,
    Organ,
    Person,
    RoleAssignment,
)
from registry.store import Stored
from sealing import impressions
from sealing.inspection import Presented
from sealing.order import Order
from sealing.parts import SealParts
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The approval statement as brought: read and signed by a registered key, or why not, or none at all."""

    statement: ApprovalStatement | None = None
    error: ApprovalEvidenceError | None = None


@dataclass(slots=True)
class Reader:
    """Facts from the registry at one moment, inside one transaction."""

    connection: Connection
    shop: Workshop
    now: datetime
    _persons: dict[str, PersonFacts] = field(default_factory=dict)

    def organ(self, code: str) -> Stored[Organ] | None:
        """The organ of this code."""
        return self.shop.registry.look_one(self.connection, Organ, code=code)

    def person(self, person: str | None) -> Person | None:
        """The person of this id."""
        if person is None:
            return None
        found = self.shop.registry.look(self.connection, Person, person)
        return None if found is None else found.record

    def person_facts(self, person: Person | None) -> PersonFacts | None:
        """The person with all roles, past and present; the rules judge the periods."""
        if person is None:
            return None
        if person.id not in self._persons:
            roles = self._roles(person.id)
            behalf = (self.person(role.on_behalf_of) for role in roles if role.on_behalf_of is not None)
            represented = {
                each.id: Represented(natural_person=each.natural_person, roles=self._roles(each.id))
                for each in behalf
                if each is not None
            }
            self._persons[person.id] = person_facts(person, roles, represented=represented)
        return self._persons[person.id]

    def _roles(self, person: str) -> tuple[RoleAssignment, ...]:
        found = self.shop.registry.find(self.connection, RoleAssignment, person=person)
        return tuple(each.record for each in found)

    def setup(self, agreement: Agreement | None, grantee: Stored[Organ] | None) -> SetupFacts | None:
        """The setup table's row for the grantee's region [000 附件], [002 附件3-1]."""
        if agreement is None or grantee is None:
            return None
        regime, region = agreement.terms.regime, grantee.record.region
        rows = self.shop.registry.find(self.connection, SetupRow, regime=regime, region=region)
        row = setup_in_force((each.record for each in rows), regime, region, self.now)
        return None if row is None else row.facts()

    def seal_facts(self, parts: SealParts | None, application: str, custodian: Person | None) -> SealFacts | None:
        """The seal with its custodian and what was used of its daily number."""
        if parts is None:
            return None
        seal = parts.seal.record
        return seal_facts(
            seal,
            agreement=parts.agreement.record,
            custodian=self.person_facts(custodian),
            used_today=impressions.used_today(self.connection, seal.id, application=application, now=self.now),
        )

    def limit_facts(self, parts: SealParts | None, application: str) -> LimitFacts | None:
        """The limits of the seal, with what was used of its monthly number and what the calendar knows of today."""
        if parts is None:
            return None
        seal, connection, now = parts.seal.record, self.connection, self.now
        used = None
        if seal.limits.monthly_cap is not None:
            used = impressions.used_this_month(connection, seal.id, application=application, now=now)
        calendar = Calendar() if seal.limits.working_hours is None else self._today()
        return limit_facts(seal.limits, used_this_month=used, calendar=calendar, now=now)

    def _today(self) -> Calendar:
        """What an administrator registered of this day in Beijing."""
        day = self.now.astimezone(BEIJING).date()
        rows = self.shop.registry.find(self.connection, CalendarDay, date=day.isoformat())
        return Calendar(days={row.record.date: row.record.kind for row in rows})

    def item(self, order: Order) -> CatalogueItem | None:
        """The catalogue row in force now."""
        key = ItemKey(list=order.item.list, number=order.item.number)
        rows = self.shop.registry.find(self.connection, CatalogueItem, list=key.list, number=key.number)
        return item_in_force((each.record for each in rows), key, self.now)

    def item_facts(self, row: CatalogueItem | None, order: Order, parts: SealParts | None) -> ItemFacts | None:
        """The item as the rules see it, its condition evaluated on the declared facts."""
        if row is None:
            return None
        pilots: list[Stored[PilotRegion]] = []
        if row.pilot_until is not None and self.now < row.pilot_until:
            pilots = self.shop.registry.find(self.connection, PilotRegion, list=row.list, number=row.number)
        grantor = None if parts is None else parts.grantor.record
        return item_facts(
            row,
            now=self.now,
            pilots=[each.record for each in pilots],
            implementing_organ=self._implementing_organ(row, grantor),
            declared=order.facts,
        )

    def _implementing_organ(self, row: CatalogueItem, grantor: Organ | None) -> str | None:
        """The code of the organ that the row names: the grantor by name or alias, else another by legal name.

        Short names such as 县行政审批局 mean an organ of the list's own region, so an alias counts for the
        grantor of this agreement only.
        """
        wanted = fold(row.implementing_organ)
        if grantor is not None and wanted in {fold(each) for each in (grantor.legal_name, *grantor.aliases)}:
            return grantor.code
        others = self.shop.registry.find(self.connection, Organ, legal_name=row.implementing_organ)
        return others[0].record.code if others else None

    def evidence(self, jws: str | None, client: str) -> Evidence:
        """Read the approval statement with a key that is registered for a person or for this client."""
        if jws is None:
            return Evidence()

        find_key = approval_keys(self.shop.registry, self.connection, client)
        try:
            statement = read_statement(jws, find_key, audience=self.shop.identity.origin)
        except ApprovalEvidenceError as error:
            return Evidence(error=error)
        return Evidence(statement=statement)

    def approval_facts(
        self,
        parts: SealParts | None,
        evidence: Evidence,
        presented: Presented,
        principal: Person | None,
    ) -> ApprovalFacts | None:
        """The approval as the rules see it; None when none was brought."""
        if evidence.error is not None:
            return refused_approval_facts(evidence.error, self.now)
        statement = evidence.statement
        if statement is None:
            return None
        agreement = None if parts is None else parts.agreement.record
        behalf = self.person(statement.claims.on_behalf_of)
        attested = 0
        if agreement is not None and statement.assurance == "system_attested":
            attested = impressions.attested_today(
                self.connection, agreement.id, application=presented.application, now=self.now
            )
        surroundings = ApprovalSurroundings(
            principal=self.person_facts(principal),
            on_behalf_of=None if behalf is None else behalf.natural_person,
            calendar=self._calendar(statement.claims.not_before),
            working_days=1 if agreement is None else agreement.terms.approval_working_days,
            used_by=self.used_by(statement, presented),
            system_attested_today=attested,
        )
        return approval_facts(statement, surroundings, self.now)

    def used_by(self, statement: ApprovalStatement, presented: Presented) -> str | None:
        """Another application that used up the line of the statement for this document."""
        if presented.digest is None:
            return None
        holder = consumed_approvals.used_by(
            self.connection, self.shop.book, statement.claims.id, document=presented.digest
        )
        return holder if holder != presented.application else None

    def _calendar(self, start: datetime) -> Calendar:
        rows = [
            each.record
            for year in {start.year, start.year + 1}
            for each in self.shop.registry.find(self.connection, CalendarDay, year=year)
        ]
        return Calendar(days={row.date: row.kind for row in rows})
