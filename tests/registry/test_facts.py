"""What the rules learn of records."""

from datetime import UTC, datetime

import pytest
from registry_samples import END, GRANTEE, GRANTOR, START, agreement, organ, person, role, seal, seal_key

from ledger.ids import new_id
from policies.facts import CertificateFacts, ItemKey, OrganFacts, Period, to_json
from registry.facts import Represented, agreement_facts, certificate_facts, organ_facts, person_facts, seal_facts

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_organ():
    assert organ_facts(organ()) == OrganFacts(
        code=GRANTOR, legal_name="兴国县行政审批局", aliases=("县行政审批局",), region="360732"
    )


def test_person_with_roles():
    who = person()
    mine = role(person=who.id)
    administrator = role(person=who.id, role="grantor_administrator")
    others = role()
    facts = person_facts(who, [mine, administrator, others], represented={})
    assert (facts.id, facts.natural_person) == (who.id, who.natural_person)
    (only,) = facts.roles
    assert (only.role, only.organ, only.valid_from, only.valid_until) == ("principal", GRANTEE, START, None)
    assert only.document == "潋府发〔2024〕3号"


def test_deputy_acts_for_a_natural_person_who_leads_the_organ():
    who, principal = person(), new_id("per")
    deputy = role(person=who.id, role="deputy", on_behalf_of=principal)
    theirs = (
        role(person=principal, valid_until=END),
        role(person=principal, role="acting_principal", valid_from=END),
        role(person=principal, role="custodian"),
        role(person=principal, organ=GRANTOR),
    )
    behalf = Represented(natural_person="hmac-sha256:" + "9" * 64, roles=theirs)
    (known,) = person_facts(who, [deputy], represented={principal: behalf}).roles
    assert (known.role, known.on_behalf_of) == ("deputy", "hmac-sha256:" + "9" * 64)
    assert known.behalf_leads == (Period(valid_from=START, valid_until=END), Period(valid_from=END, valid_until=None))


def test_nobody_is_represented_by_a_principal():
    who = person()
    (known,) = person_facts(who, [role(person=who.id)], represented={}).roles
    assert (known.on_behalf_of, known.behalf_leads) == (None, ())


def test_deputy_of_somebody_unknown_is_none():
    who = person()
    deputy = role(person=who.id, role="deputy", on_behalf_of=new_id("per"))
    assert person_facts(who, [deputy], represented={}).roles == ()


@pytest.mark.parametrize("state", ["draft", "in_force", "suspended", "ended", "recalled"])
def test_agreement(state):
    facts = agreement_facts(agreement(state=state))
    assert (facts.number, facts.version, facts.state) == ("兴审批委托〔2024〕1号", 1, state)
    assert (facts.grantor, facts.grantee, facts.signed_by) == (GRANTOR, GRANTEE, ())
    assert facts.items == (ItemKey(list="002-2", number=14),)
    assert (facts.valid_from, facts.valid_until) == (START, END)
    assert (facts.regime, facts.relation) == ("county_township", "entrustment")
    assert (facts.weakest_assurance, facts.system_attested_daily_cap) == ("person_signed", None)
    assert (facts.filing_required, facts.approval_working_days, facts.issuer_required) == (False, 10, "internal")


def test_seal_names_its_agreement_by_number_only_when_it_is_the_one():
    mine = agreement()
    fitting = seal(agreement=mine.id, daily_cap=9)
    facts = seal_facts(fitting, agreement=mine, custodian=None, used_today=3)
    assert (facts.agreement, facts.daily_cap, facts.used_today) == ("兴审批委托〔2024〕1号", 9, 3)
    assert (facts.id, facts.owner, facts.number, facts.state) == (fitting.id, GRANTOR, 35, "pending")
    assert seal_facts(fitting, agreement=agreement(), custodian=None, used_today=0).agreement == mine.id
    assert seal_facts(fitting, agreement=None, custodian=None, used_today=0).agreement == mine.id


def test_certificate():
    assert certificate_facts(seal_key()) == CertificateFacts(
        serial="0a1b", not_before=START, not_after=END, revoked=False, issuer="internal"
    )
    assert certificate_facts(seal_key(revoked_at=NOW, revoked_reason="keyCompromise")).revoked


def test_facts_can_be_stored():
    who = person()
    facts = seal_facts(
        seal(), agreement=None, custodian=person_facts(who, [role(person=who.id)], represented={}), used_today=0
    )
    assert to_json(facts)["custodian"]["roles"][0]["role"] == "principal"
