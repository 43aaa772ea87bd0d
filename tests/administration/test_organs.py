"""Organs: registered once, renamed with a reason, succeeded in both records, and their keys."""

from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world import CITY, COUNTY, ORGANS, organ_code

from registry.errors import ConflictError, EvidenceError, NotFoundError, RecordInvalidError, TransitionError
from registry.records import Organ, OrganKey
from sealing.administration import organs
from sealing.administration.key_registration import KeyRequest
from sealing.administration.organs import OrganRequest

NEW = OrganRequest(
    code=organ_code(77), legal_name="兴国县民政局", level="county", region="360732", aliases=("县民政局",)
)


def spki(curve: ec.EllipticCurve | None = None) -> bytes:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_registered_organ_can_be_found_and_the_entry_tells_who_and_why(office):
    stored = organs.register(office.shop, NEW, office.act("机构备案"))
    assert office.find(Organ, code=NEW.code) == [stored.record]
    kind, groups = office.newest()
    assert kind == "organ.registered"
    assert groups["act"] == {
        "by": {"id": "per-" + "b" * 26, "name": "管理员示例", "organ": None},
        "why": "机构备案",
    }


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code": organ_code(1)}, ConflictError),
        ({"code": "913607001234567890"}, RecordInvalidError),
        ({"level": "province"}, RecordInvalidError),
        ({"region": "赣州"}, RecordInvalidError),
        ({"aliases": ("兴国县民政局",)}, RecordInvalidError),
        ({"legal_name": "兴国县\u202e民政局"}, RecordInvalidError),
    ],
    ids=["code taken", "check character", "level", "region", "alias is the name", "bidi"],
)
def test_what_is_not_an_organ_is_refused_and_leaves_no_entry(office, changed, error):
    before = office.kinds()
    with pytest.raises(error):
        organs.register(office.shop, replace(NEW, **changed), office.act())
    assert office.kinds() == before


def test_a_new_name_keeps_id_and_code(office):
    code = office.world.codes[COUNTY]
    (old,) = office.find(Organ, code=code)
    request = OrganRequest(
        code=code, legal_name="兴国县政务服务局", level="county", region="360732", aliases=("县审批局",)
    )
    changed = organs.change(office.shop, request, office.act("更名")).record
    assert (changed.id, changed.legal_name, changed.aliases) == (old.id, "兴国县政务服务局", ("县审批局",))
    assert office.newest()[0] == "organ.changed"


def test_an_unknown_organ_cannot_be_changed(office):
    with pytest.raises(NotFoundError):
        organs.change(office.shop, NEW, office.act())


def test_a_succession_stands_in_both_records(office):
    old, new = office.world.codes[COUNTY], office.world.codes[CITY]
    step = organs.succession(new, date(2026, 12, 1), "机构改革方案")
    gone = organs.succeed(office.shop, old, step, office.act("机构改革")).record
    (heir,) = office.find(Organ, code=new)
    assert gone.succeeded_by == step
    assert [(each.organ, each.on) for each in heir.succeeds] == [(old, date(2026, 12, 1))]
    with pytest.raises(ConflictError) as caught:
        organs.succeed(office.shop, old, step, office.act())
    assert caught.value.code == "succeeded-already"


def test_an_organ_cannot_succeed_itself(office):
    code = office.world.codes[COUNTY]
    before = office.kinds()
    with pytest.raises((RecordInvalidError, ConflictError)):
        organs.succeed(office.shop, code, organs.succession(code, date(2026, 12, 1), "x"), office.act())
    assert office.kinds() == before


def test_a_key_holds_from_now_until_it_is_ended(office):
    request = KeyRequest(public_key=spki(), document="密钥登记表")
    act = office.act()
    key = organs.register_key(office.shop, office.world.codes[CITY], request, act).record
    assert (key.valid_from, key.valid_until, key.registered_by) == (act.now, None, act.by.id)
    later = office.act("换发")
    assert organs.end_key(office.shop, key.id, later).record.valid_until == later.now
    assert office.newest()[0] == "organ_key.ended"
    with pytest.raises(TransitionError) as caught:
        organs.end_key(office.shop, key.id, office.act())
    assert caught.value.code == "ended-already"
    assert office.get(OrganKey, key.id).valid_until == later.now


def test_a_key_that_does_not_hold_yet_cannot_end_before_it_began(office):
    act = office.act()
    request = KeyRequest(public_key=spki(), document="密钥登记表", valid_from=act.now.replace(year=2027))
    key = organs.register_key(office.shop, office.world.codes[CITY], request, act).record
    with pytest.raises(RecordInvalidError):
        organs.end_key(office.shop, key.id, office.act())


@pytest.mark.parametrize("public_key", [b"", b"not a key", spki(ec.SECP384R1())], ids=["empty", "garbage", "P-384"])
def test_only_p256_keys_are_taken(office, public_key):
    with pytest.raises(EvidenceError) as caught:
        organs.register_key(
            office.shop, office.world.codes[CITY], KeyRequest(public_key=public_key, document="x"), office.act()
        )
    assert caught.value.code == "key-unsuitable"


def test_the_same_key_cannot_belong_to_two_organs(office):
    request = KeyRequest(public_key=spki(), document="密钥登记表")
    organs.register_key(office.shop, office.world.codes[CITY], request, office.act())
    with pytest.raises(RecordInvalidError) as caught:
        organs.register_key(office.shop, office.world.codes[COUNTY], request, office.act())
    assert caught.value.code == "key-of-another"
    assert ORGANS[CITY][0] not in caught.value.en


def test_an_organ_may_register_its_own_key_again(office):
    request = KeyRequest(public_key=spki(), document="密钥登记表")
    first = organs.register_key(office.shop, office.world.codes[CITY], request, office.act())
    again = organs.register_key(office.shop, office.world.codes[CITY], request, office.act())
    assert first.record.id != again.record.id
