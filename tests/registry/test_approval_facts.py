"""From a statement and its surroundings to facts, and whose keys may count."""

from datetime import UTC, datetime, timedelta

import pytest
from registry_samples import (
    DIGEST,
    GRANTEE,
    GRANTOR,
    ORIGIN,
    PRINCIPAL,
    START,
    claims,
    client,
    client_approval_key,
    organ_key,
    person_key,
    private_key,
    public,
    registered,
)

from policies.facts import ItemKey, ManifestLine, PersonFacts
from registry.approval import ApprovalEvidenceError, ApprovalStatement, make_statement, read_statement
from registry.approval_facts import ApprovalSurroundings, approval_facts, refused_approval_facts
from registry.calendar import Calendar
from registry.clients import check_approval_key
from registry.errors import RecordInvalidError
from registry.keys import approval_keys, organ_keys, registered_key
from registry.statements import RegisteredKey

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WHO = PersonFacts(id=PRINCIPAL, natural_person="hmac-sha256:" + "1" * 64, roles=())


def around(**changes) -> ApprovalSurroundings:
    values = {
        "principal": WHO,
        "on_behalf_of": None,
        "calendar": Calendar(),
        "working_days": 10,
        "used_by": None,
        "system_attested_today": 0,
    }
    return ApprovalSurroundings(**{**values, **changes})


def statement(key: RegisteredKey | None = None, **changes) -> ApprovalStatement:
    key = key or registered("principal", kind="person", holder=PRINCIPAL, key_id="pky-" + "k" * 26)
    made = make_statement(claims(**changes), kid=key.id, key=private_key("principal"))
    return read_statement(made, lambda _kid: key, audience=ORIGIN)


def test_facts_are_the_claims():
    facts = approval_facts(statement(), around(used_by="app-1", system_attested_today=4), NOW)
    assert (facts.evidence_valid, facts.evidence_error, facts.assurance) == (True, None, "person_signed")
    assert (facts.id, facts.principal, facts.grantee) == ("apr-" + "a" * 26, WHO, GRANTEE)
    assert facts.item == ItemKey(list="002-2", number=14)
    assert facts.manifest == (
        ManifestLine(
            digest=DIGEST,
            kind="licence",
            copy="original",
            document_number="兴卫公许〔2026〕1号",
            licence_number="36073220260001",
            placement='{"kind":"date_line"}',
        ),
    )
    assert (facts.used_by, facts.system_attested_today, facts.confirms) == ("app-1", 4, ("item",))
    assert facts.facts == {"premises": "理发店", "area_m2": "22.5", "staff": 3, "first": True}


def test_freshness_counts_working_days():
    """23 November 2026 is a Monday: ten working days later is Monday 7 December, to its end in Beijing."""
    facts = approval_facts(statement(), around(), NOW)
    assert facts.fresh_until == datetime(2026, 12, 7, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "ends", "valid"),
    [
        (START, None, True),
        (datetime(2026, 11, 23, 1, tzinfo=UTC), None, True),
        (datetime(2026, 11, 23, 1, 0, 1, tzinfo=UTC), None, False),
        (START, NOW, False),
        (START, NOW + timedelta(seconds=1), True),
        (START, datetime(2026, 11, 23, tzinfo=UTC), False),
    ],
)
def test_key_must_be_valid_when_approved_and_now(begins, ends, valid):
    good = registered("principal", kind="person", holder=PRINCIPAL, key_id="pky-" + "k" * 26)
    key = RegisteredKey(
        id=good.id,
        kind="person",
        holder=PRINCIPAL,
        public_key=good.public_key,
        valid_from=begins,
        valid_until=ends,
    )
    facts = approval_facts(statement(key), around(), NOW)
    assert facts.evidence_valid is valid
    assert (facts.evidence_error is None) is valid
    if not valid:
        assert key.id in facts.evidence_error


def test_acting_for_somebody_unknown_is_no_evidence():
    deputy = statement(on_behalf_of="per-" + "b" * 26)
    facts = approval_facts(deputy, around(), NOW)
    assert not facts.evidence_valid
    assert "per-" + "b" * 26 in facts.evidence_error
    known = approval_facts(deputy, around(on_behalf_of="hmac-sha256:" + "2" * 64), NOW)
    assert known.evidence_valid
    assert known.on_behalf_of == "hmac-sha256:" + "2" * 64


def test_refused_evidence_keeps_only_the_reason():
    error = ApprovalEvidenceError("statement-malformed", "不可读", "cannot be read")
    facts = refused_approval_facts(error, NOW)
    assert not facts.evidence_valid
    assert facts.evidence_error == "不可读 / cannot be read"
    assert (facts.principal, facts.manifest, facts.fresh_until) == (None, (), NOW)


def test_registered_key_tells_whose_it_is():
    for record, kind, holder in (
        (organ_key(), "organ", GRANTOR),
        (person_key(person=PRINCIPAL), "person", PRINCIPAL),
        (client_approval_key(client="cli-" + "c" * 26), "client", "cli-" + "c" * 26),
    ):
        key = registered_key(record)
        assert (key.id, key.kind, key.holder, key.valid_from) == (record.id, kind, holder, START)


def test_organ_keys_are_those_of_the_parties(world):
    mine = world.put(organ_key()).record
    assert world.reading(lambda c: organ_keys(world.store, c, {GRANTOR})(mine.id)) == registered_key(mine)
    assert world.reading(lambda c: organ_keys(world.store, c, {GRANTEE})(mine.id)) is None
    persons = world.put(person_key()).record
    assert world.reading(lambda c: organ_keys(world.store, c, {GRANTOR})(persons.id)) is None
    assert world.reading(lambda c: organ_keys(world.store, c, {GRANTOR})("'; DROP TABLE")) is None


def test_approval_keys_are_persons_own_or_the_clients(world):
    who = world.put(client()).record
    other = world.put(client()).record
    mine = world.put(client_approval_key(client=who.id)).record
    persons = world.put(person_key()).record
    organs = world.put(organ_key()).record

    def found(kid: str, for_client: str):
        return world.reading(lambda c: approval_keys(world.store, c, for_client)(kid))

    assert found(mine.id, who.id) == registered_key(mine)
    assert found(persons.id, who.id) == registered_key(persons)
    assert found(mine.id, other.id) is None
    assert found(organs.id, who.id) is None
    assert found("", who.id) is None


def test_authentication_key_never_approves(world):
    who = world.put(client(public_key=public("both"))).record
    same = world.put(client_approval_key(client=who.id, public_key=public("both"))).record
    assert world.reading(lambda c: approval_keys(world.store, c, who.id)(same.id)) is None
    with pytest.raises(RecordInvalidError) as caught:
        check_approval_key(same, who)
    assert caught.value.code == "approval-key-is-authentication-key"
    with pytest.raises(RecordInvalidError) as caught:
        check_approval_key(same, client())
    assert caught.value.code == "approval-key-of-another"
    check_approval_key(client_approval_key(client=who.id), who)
