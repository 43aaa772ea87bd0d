"""From records to what the rules look at: plain values, and None for what is not registered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from policies.facts import (
    AgreementFacts,
    CertificateFacts,
    HoursFacts,
    ItemKey,
    LimitFacts,
    OrganFacts,
    Period,
    PersonFacts,
    Role,
    RoleFacts,
    SealFacts,
)
from registry.agreements import Agreement
from registry.calendar import Calendar
from registry.china_time import BEIJING
from registry.organs import Organ
from registry.persons import AssignedRole, Person, RoleAssignment
from registry.seal_keys import SealKey
from registry.seal_limits import SealLimits, WorkingHours
from registry.seals import Seal

_ROLES: Mapping[AssignedRole, Role] = {
    "principal": "principal",
    "acting_principal": "acting_principal",
    "deputy": "deputy",
    "seal_user": "seal_user",
    "custodian": "custodian",
}
"""The roles that take part in a seal use; a grantor's administrator takes none."""
_LEADS: tuple[AssignedRole, ...] = ("principal", "acting_principal")


def organ_facts(organ: Organ) -> OrganFacts:
    """The organ as registered now."""
    return OrganFacts(code=organ.code, legal_name=organ.legal_name, aliases=organ.aliases, region=organ.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Represented:
    """An account that somebody else's role is held on behalf of, with all its own roles."""

    natural_person: str
    roles: tuple[RoleAssignment, ...]

    def leads(self, organ: str) -> tuple[Period, ...]:
        """When this person was registered as principal or acting principal of the organ."""
        return tuple(
            Period(valid_from=role.valid_from, valid_until=role.valid_until)
            for role in self.roles
            if role.organ == organ and role.role in _LEADS
        )


def person_facts(
    person: Person, roles: Iterable[RoleAssignment], *, represented: Mapping[str, Represented]
) -> PersonFacts:
    """The person with their roles.

    ``represented`` has every account that a role is held on behalf of; a role whose account is not in it is
    left out, because nobody can tell whom it is held for.
    """
    facts = (_role_facts(role, represented) for role in roles if role.person == person.id)
    return PersonFacts(
        id=person.id,
        natural_person=person.natural_person,
        roles=tuple(each for each in facts if each is not None),
    )


def _role_facts(role: RoleAssignment, represented: Mapping[str, Represented]) -> RoleFacts | None:
    name = _ROLES.get(role.role)
    if name is None or (role.on_behalf_of is not None and role.on_behalf_of not in represented):
        return None
    behalf = None if role.on_behalf_of is None else represented[role.on_behalf_of]
    return RoleFacts(
        role=name,
        organ=role.organ,
        valid_from=role.valid_from,
        valid_until=role.valid_until,
        document=role.document,
        on_behalf_of=None if behalf is None else behalf.natural_person,
        behalf_leads=() if behalf is None else behalf.leads(role.organ),
    )


def agreement_facts(agreement: Agreement) -> AgreementFacts:
    """The current version of the agreement, with the organs whose signature it carries."""
    terms = agreement.terms
    return AgreementFacts(
        number=terms.number,
        version=agreement.current.number,
        regime=terms.regime,
        relation=terms.relation,
        state=agreement.state,
        grantor=terms.grantor,
        grantee=terms.grantee,
        items=tuple(ItemKey(list=item.list, number=item.number) for item in terms.items),
        valid_from=terms.period.valid_from,
        valid_until=terms.period.valid_until,
        signed_by=agreement.current.signed_by,
        weakest_assurance=terms.weakest_assurance,
        system_attested_daily_cap=terms.system_attested_daily_cap,
        filing_required=terms.filing_required,
        approval_working_days=terms.approval_working_days,
        issuer_required=terms.issuer_required,
    )


def seal_facts(seal: Seal, *, agreement: Agreement | None, custodian: PersonFacts | None, used_today: int) -> SealFacts:
    """The seal; its agreement is told by number when ``agreement`` is the one it belongs to, else by id."""
    belongs = agreement is not None and agreement.id == seal.agreement
    return SealFacts(
        id=seal.id,
        owner=seal.owner,
        number=seal.number,
        name=seal.name,
        agreement=agreement.terms.number if agreement is not None and belongs else seal.agreement,
        state=seal.state,
        custodian=custodian,
        daily_cap=seal.daily_cap,
        used_today=used_today,
    )


def limit_facts(limits: SealLimits, *, used_this_month: int | None, calendar: Calendar, now: datetime) -> LimitFacts:
    """The limits of a seal at ``now``. ``calendar`` has the registered rows of the day in Beijing."""
    hours = limits.working_hours
    return LimitFacts(
        monthly_cap=limits.monthly_cap,
        used_this_month=used_this_month,
        hours=None if hours is None else _hours_facts(hours, calendar, now),
        networks=limits.networks,
    )


def _hours_facts(hours: WorkingHours, calendar: Calendar, now: datetime) -> HoursFacts:
    day = now.astimezone(BEIJING).date()
    working, estimated = calendar.is_workday(day)
    return HoursFacts(
        opens=hours.opens,
        closes=hours.closes,
        working_days_only=hours.working_days_only,
        day=day.isoformat(),
        working_day=None if estimated else working,  # a guess from the weekday is no knowledge
    )


def certificate_facts(key: SealKey) -> CertificateFacts:
    """The certificate of the seal's key."""
    return CertificateFacts(
        serial=key.serial,
        not_before=key.not_before,
        not_after=key.not_after,
        revoked=key.revoked_at is not None,
        issuer=key.issuer,
    )
