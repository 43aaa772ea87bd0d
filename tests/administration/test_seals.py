"""Seals: issued as the setup table says, their certificates held and revoked with them, slots filled once."""

from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography import x509
from world import COUNTY, TOWN, sign_version, terms

from authority.binding import read_binding
from ledger.ids import new_id
from registry.agreement_terms import terms_digest
from registry.errors import ConflictError, NotFoundError, RecordInvalidError, TransitionError
from registry.records import Agreement, Seal, SealKey
from registry.seal_keys import HOLD
from sealing.administration import agreements, certification, seals
from sealing.administration.faces import face
from sealing.administration.seals import SealRequest


def leaf(key: SealKey) -> x509.Certificate:
    return x509.load_der_x509_certificate(b64decode(key.chain[0]))


def fresh_seal(office, name: str = "town", **changed) -> tuple[Seal, SealKey]:
    """A second seal, once the first has given its number back."""
    office.cancel(name)
    request = SealRequest(agreement=office.world.agreements[name], custodian=office.world.staff[TOWN].custodian)
    return office.issue(replace(request, **changed))


def rotate(office, seal: str, algorithm: str = "ecdsa-p256-sha256"):
    act = office.approved("rotate_key", seal=seal, algorithm=algorithm)
    return seals.rotate_key(office.shop, seal, act, algorithm=algorithm)


def test_name_number_and_certificate_follow_from_setup_table_and_agreement(office):
    seal, key = fresh_seal(office)
    agreement = office.get(Agreement, seal.agreement)
    assert (seal.number, seal.name, seal.state) == (35, "兴国县行政审批局行政审批专用章（35）", "pending")
    binding = read_binding(leaf(key))
    assert binding.seal_name == seal.name
    assert binding.terms_digest == terms_digest(agreement.terms)
    assert binding.log_origin == office.shop.identity.origin
    assert key.not_after <= agreement.terms.period.valid_until
    assert key.issuer == "internal"


def test_the_intent_stands_before_the_certificate(office):
    _, key = fresh_seal(office)
    kinds = office.kinds()
    assert kinds[-2:] == ["certificate.intended", "seal_key.certified"]
    assert office.newest()[1]["body"]["serial"] == key.serial


def test_no_second_seal_with_the_number(office):
    request = SealRequest(agreement=office.world.agreements["town"], custodian=None)
    before = office.kinds()
    with pytest.raises(ConflictError):
        office.issue(request)
    assert office.kinds() == before


@pytest.mark.parametrize(
    "changed", [{"diameter_mm": "58"}, {"daily_cap": 0}, {"diameter_mm": "4,2"}, {"imprint": "x"}], ids=str
)
def test_a_seal_of_no_proper_form_is_refused(office, changed):
    with pytest.raises(RecordInvalidError):
        fresh_seal(office, **changed)


def test_the_custodian_must_be_registered(office):
    with pytest.raises(NotFoundError):
        fresh_seal(office, custodian=new_id("per"))
    with pytest.raises(NotFoundError):
        seals.set_custodian(office.shop, office.world.seals["town"], new_id("per"), office.act())


def test_no_seal_for_an_agreement_that_is_not_in_force(office):
    agreements.change_state(office.shop, office.world.agreements["town"], "suspend", office.act())
    with pytest.raises(RecordInvalidError) as caught:
        fresh_seal(office)
    assert caught.value.code == "agreement-not-in-force"


def test_no_seal_without_a_row_of_the_setup_table(office):
    """宁都县 is in the city's table, but not a township of Xingguo."""
    new = terms(
        office.world, "town", number="甲", grantee=office.world.codes["other"], users=[office.world.codes["other"]]
    )
    agreement = agreements.draft(office.shop, new, "sha256:" + "0" * 64, office.act()).record
    for organ in (COUNTY, "other"):
        kid, key = office.world.organ_keys[organ]
        jws = sign_version(agreement, office.world.codes[organ], kid=kid, key=key)
        agreements.sign(office.shop, agreement.id, jws, office.act())
    agreements.bring_into_force(office.shop, agreement.id, office.act())
    with pytest.raises(RecordInvalidError) as caught:
        office.issue(SealRequest(agreement=agreement.id, custodian=None))
    assert caught.value.code == "seal-does-not-fit"


def test_the_certificate_is_held_and_released_with_the_seal(office):
    seal, seen = office.world.seals["town"], []
    for change in ("suspend", "resume", "suspend"):
        seals.change_state(office.shop, seal, change, office.act(f"原因{change}"))
        (key,) = office.find(SealKey, seal=seal, current=True)
        seen.append((key.state, key.revoked_reason, len(key.holds)))
    assert seen == [("suspended", HOLD, 1), ("active", None, 1), ("suspended", HOLD, 2)]
    assert [each.reason for each in office.get(Seal, seal).filings][-1] == "原因suspend"


def test_a_change_that_the_state_forbids_changes_nothing(office):
    before = office.kinds()
    with pytest.raises(TransitionError):
        seals.change_state(office.shop, office.world.seals["town"], "enable", office.act())
    assert office.kinds() == before


def test_a_filing_number_is_filled_once(office):
    seal = office.world.seals["town"]
    stored = seals.file_change(office.shop, seal, 0, "兴印备〔2026〕35号", office.act("备案")).record
    assert stored.filings[0].filing_number == "兴印备〔2026〕35号"
    with pytest.raises(ConflictError):
        seals.file_change(office.shop, seal, 0, "另一号", office.act())
    with pytest.raises(RecordInvalidError):
        seals.file_change(office.shop, seal, 1, "另一号", office.act())


def test_another_custodian(office):
    seal, user = office.world.seals["town"], office.world.staff[TOWN].user
    assert seals.set_custodian(office.shop, seal, user, office.act("交接")).record.custodian == user
    assert office.newest()[0] == "seal.custodian_named"


def test_a_renewed_key_is_another_key_and_the_old_one_is_retired(office):
    seal = office.world.seals["town"]
    (old,) = office.find(SealKey, seal=seal, current=True)
    new = rotate(office, seal, algorithm="rsa3072-sha256").record
    assert (new.key_version, new.key_ref == old.key_ref) == (old.key_version + 1, False)
    assert office.find(SealKey, seal=seal, current=True) == [new]
    assert office.get(SealKey, old.id).retired_at is not None


def test_a_cancelled_seal_gets_no_key(office):
    seal = office.world.seals["town"]
    office.cancel("town")
    with pytest.raises(TransitionError) as caught:
        rotate(office, seal)
    assert caught.value.code == "seal-is-cancelled"


def test_a_seal_cancelled_while_its_certificate_is_made_gets_none(office, monkeypatch):
    seal, make = office.world.seals["town"], certification.make

    def meanwhile(shop, intended, now):
        office.cancel("town")
        return make(shop, intended, now)

    monkeypatch.setattr(certification, "make", meanwhile)
    with pytest.raises(TransitionError) as caught:
        rotate(office, seal)
    assert caught.value.code == "seal-is-cancelled"
    assert [key.revoked_reason for key in office.find(SealKey, seal=seal)] == ["cessation_of_operation"]


def test_an_agreement_that_ends_while_the_certificate_is_made_gives_none(office, monkeypatch):
    seal, make = office.world.seals["town"], certification.make

    def meanwhile(shop, intended, now):
        office.change_agreement(office.world.agreements["town"], "end")
        return make(shop, intended, now)

    monkeypatch.setattr(certification, "make", meanwhile)
    with pytest.raises(ConflictError) as caught:
        rotate(office, seal)
    assert caught.value.code == "changed-meanwhile"
    assert len(office.find(SealKey, seal=seal)) == 1


def test_the_face_says_that_it_is_a_sample(office):
    with office.shop.database.read() as connection:
        drawn = face(office.shop, connection, office.world.seals["town"])
    assert drawn.svg().startswith("<svg")
    assert drawn.png(200).startswith(b"\x89PNG")


def test_an_unknown_seal_is_not_found(office):
    with pytest.raises(NotFoundError):
        seals.change_state(office.shop, new_id("sea"), "suspend", office.act())
    with office.shop.database.read() as connection, pytest.raises(NotFoundError):
        face(office.shop, connection, new_id("sea"))
