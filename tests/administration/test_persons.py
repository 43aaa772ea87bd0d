"""Persons: never the identity number, roles with papers and periods, approval keys of one holder."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world import COUNTY, identity_number

from ledger.ids import new_id
from registry.errors import NotFoundError, RecordInvalidError, TransitionError
from registry.records import PersonKey, RoleAssignment
from sealing.administration import clients, organs, persons
from sealing.administration.key_registration import KeyRequest
from sealing.administration.persons import RoleRequest


def request_for(office, **changed) -> RoleRequest:
    values = {
        "person": office.world.staff[COUNTY].user,
        "organ": office.world.codes[COUNTY],
        "role": "custodian",
        "document": "任〔2026〕2号",
    }
    return RoleRequest(**{**values, **changed})


def key_request() -> KeyRequest:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return KeyRequest(
        public_key=public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), document="登记表"
    )


def test_the_identity_number_is_nowhere_in_the_installation(office):
    number = identity_number(4711)
    person = persons.register(office.shop, "张三", number, office.act()).record
    assert person.natural_person == office.shop.natural_person(number)
    for path in Path(office.shop.settings.data).rglob("*"):
        assert not path.is_file() or number.encode() not in path.read_bytes(), path


def test_two_accounts_of_one_human_are_told_to_be_one(office):
    first = persons.register(office.shop, "张三", identity_number(1), office.act()).record
    second = persons.register(office.shop, "张三（乡镇）", identity_number(1), office.act()).record
    assert first.id != second.id
    assert first.natural_person == second.natural_person


@pytest.mark.parametrize("number", ["", "360000190001000010", "36000019000100001A", "1"])
def test_a_wrong_identity_number_is_refused_without_repeating_it(office, number):
    before = office.kinds()
    with pytest.raises(RecordInvalidError) as caught:
        persons.register(office.shop, "张三", number, office.act())
    assert caught.value.code == "identity-number-invalid"
    assert not number or len(number) < 2 or number not in str(caught.value)
    assert office.kinds() == before


def test_a_role_holds_from_now_and_ends_now(office):
    act = office.act("任命")
    role = persons.assign_role(office.shop, request_for(office), act).record
    assert (role.valid_from, role.valid_until) == (act.now, None)
    assert office.newest()[0] == "role_assignment.assigned"
    later = office.act("免职")
    persons.end_role(office.shop, role.id, later)
    assert office.get(RoleAssignment, role.id).valid_until == later.now
    with pytest.raises(TransitionError):
        persons.end_role(office.shop, role.id, office.act())


def test_a_deputy_needs_a_letter_and_a_principal(office):
    principal = office.world.staff[COUNTY].principal
    good = request_for(office, role="deputy", on_behalf_of=principal)
    assert persons.assign_role(office.shop, good, office.act()).record.on_behalf_of == principal
    for wrong in ({"document": None}, {"on_behalf_of": None}, {"on_behalf_of": office.world.staff[COUNTY].user}):
        values = {"role": "deputy", "on_behalf_of": principal, **wrong}
        with pytest.raises(RecordInvalidError):
            persons.assign_role(office.shop, request_for(office, **values), office.act())


@pytest.mark.parametrize("field", ["person", "organ", "on_behalf_of"])
def test_a_role_names_only_what_is_registered(office, field):
    unknown = {"person": new_id("per"), "organ": "113600000EM0000995", "on_behalf_of": new_id("per")}[field]
    changed = {field: unknown, "role": "deputy"} if field == "on_behalf_of" else {field: unknown}
    before = office.kinds()
    with pytest.raises(NotFoundError):
        persons.assign_role(office.shop, request_for(office, **changed), office.act())
    assert office.kinds() == before


def test_an_unknown_role_word_is_refused(office):
    with pytest.raises(RecordInvalidError):
        persons.assign_role(office.shop, request_for(office, role="chief"), office.act())


def test_an_approval_key_is_its_principals_alone(office):
    request, principal = key_request(), office.world.staff[COUNTY].principal
    key = persons.register_key(office.shop, principal, request, office.act()).record
    assert office.get(PersonKey, key.id).person == principal
    takers = (
        lambda: persons.register_key(office.shop, office.world.staff[COUNTY].user, request, office.act()),
        lambda: organs.register_key(office.shop, office.world.codes[COUNTY], request, office.act()),
        lambda: clients.register_approval_key(
            office.shop, office.world.clients["platform"].client, request, office.act()
        ),
    )
    for take in takers:
        with pytest.raises(RecordInvalidError) as caught:
            take()
        assert caught.value.code == "key-of-another"


def test_an_approval_key_ends(office):
    key = office.world.staff[COUNTY].key_id
    act = office.act("遗失")
    assert persons.end_key(office.shop, key, act).record.valid_until == act.now


def test_a_key_of_nobody_is_refused(office):
    with pytest.raises(NotFoundError):
        persons.register_key(office.shop, new_id("per"), key_request(), office.act())
