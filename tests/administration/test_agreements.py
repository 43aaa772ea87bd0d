"""Agreements: complete before they are drafted; an amendment and its certificates come into force together."""

import json
from base64 import b64decode

import pytest
from cryptography import x509
from world import COUNTY, TOWN, terms

from authority.binding import read_binding
from ledger.ids import new_id
from registry.agreement_terms import AgreementTermsError, read_terms, terms_digest
from registry.agreements import sign_version
from registry.errors import ConflictError, EvidenceError, NotFoundError, RecordInvalidError, TransitionError
from registry.records import Agreement, Seal, SealKey
from sealing.administration import agreements, certification, seals
from sealing.errors import OrderError

DIGEST = "sha256:" + "1" * 64


def present_key(office, name: str = "town") -> SealKey:
    (key,) = office.find(SealKey, seal=office.world.seals[name], current=True)
    return key


def binding_of(key: SealKey):
    return read_binding(x509.load_der_x509_certificate(b64decode(key.chain[0])))


def test_a_draft_is_signed_by_both_and_comes_into_force(office):
    new = terms(office.world, "town", number="兴审协〔2026〕36号")
    drafted = agreements.draft(office.shop, new, DIGEST, office.act("起草")).record
    assert drafted.state == "draft"
    with pytest.raises(TransitionError):
        agreements.bring_into_force(office.shop, drafted.id, office.act())
    signed = office.sign_both("town", drafted)
    assert agreements.bring_into_force(office.shop, signed.id, office.act()).record.state == "in_force"
    assert office.newest()[0] == "agreement.brought_into_force"


def test_a_draft_without_a_part_names_it(office):
    new = terms(office.world, "town", number="甲", liability="", legal_basis=[])
    before = office.kinds()
    with pytest.raises(AgreementTermsError) as caught:
        agreements.draft(office.shop, new, DIGEST, office.act())
    assert caught.value.parts == ("legal_basis", "liability")
    assert office.kinds() == before


def test_a_draft_about_an_unknown_item_is_refused(office):
    new = terms(
        office.world, "town", number="甲", items=[{"list": "002-2", "number": 14}, {"list": "002-9", "number": 1}]
    )
    with pytest.raises(OrderError) as caught:
        agreements.draft(office.shop, new, DIGEST, office.act())
    assert caught.value.code == "item-unknown"
    assert "002-9" in caught.value.en


@pytest.mark.parametrize("terms_", [None, [], "x", {}, {"v": 1}], ids=str)
def test_what_is_not_terms_is_refused(office, terms_):
    with pytest.raises(AgreementTermsError):
        agreements.draft(office.shop, terms_, DIGEST, office.act())


def test_a_digest_of_no_form_and_a_number_used_before_are_refused(office):
    new = terms(office.world, "town", number="甲")
    with pytest.raises(RecordInvalidError):
        agreements.draft(office.shop, new, "sha256:12", office.act())
    with pytest.raises(ConflictError):
        agreements.draft(office.shop, terms(office.world, "town"), DIGEST, office.act())


def test_the_signature_of_a_stranger_is_refused(office):
    new = terms(office.world, "town", number="甲")
    drafted = agreements.draft(office.shop, new, DIGEST, office.act()).record
    kid, key = office.world.organ_keys["city"]
    jws = sign_version(drafted, office.world.codes[COUNTY], kid=kid, key=key)
    with pytest.raises(EvidenceError):
        agreements.sign(office.shop, drafted.id, jws, office.act())
    assert office.get(Agreement, drafted.id).current.signatures == ()


def test_with_the_amendment_its_seals_get_certificates_over_the_new_terms(office):
    old = present_key(office)
    agreement = office.amended()
    assert present_key(office) == old
    in_force = office.change_agreement(agreement.id, "bring_into_force")
    new = present_key(office)
    binding = binding_of(new)
    assert binding.agreement_version == in_force.current.number == 2
    assert binding.terms_digest == terms_digest(in_force.terms)
    assert (new.key_ref, new.key_version) == (old.key_ref, old.key_version + 1)
    retired = office.get(SealKey, old.id)
    assert retired.retired_at is not None
    assert retired.revoked_at is None
    last = office.kinds()
    assert last.index("certificate.intended", last.index("agreement.amendment_drafted")) < last.index(
        "agreement.amended"
    )


def test_a_shorter_period_ends_the_certificate_with_it(office):
    period = {"valid_from": "2026-01-01T00:00:00.000000Z", "valid_until": "2026-12-31T16:00:00.000000Z"}
    agreement = office.amended(period=period)
    in_force = office.change_agreement(agreement.id, "bring_into_force")
    assert present_key(office).not_after == in_force.terms.period.valid_until


def test_an_unsigned_amendment_changes_nothing(office):
    new = terms(office.world, "town", scope="扩大后的范围")
    opened = agreements.amend(office.shop, office.world.agreements["town"], new, DIGEST, office.act()).record
    before = office.kinds()
    with pytest.raises(TransitionError) as caught:
        office.change_agreement(opened.id, "bring_into_force")
    assert caught.value.code == "agreement-not-signed"
    assert office.kinds() == before


def test_an_amendment_to_another_grantee_is_refused(office):
    new = terms(office.world, "town", grantee=office.world.codes["town2"], users=[office.world.codes["town2"]])
    with pytest.raises(RecordInvalidError) as caught:
        agreements.amend(office.shop, office.world.agreements["town"], new, DIGEST, office.act())
    assert caught.value.code == "agreement-other-parties"


def test_the_seal_of_a_suspended_agreement_or_a_suspended_seal_stays_on_hold(office):
    seals.change_state(office.shop, office.world.seals["town"], "suspend", office.act("检查"))
    agreement = office.amended()
    agreements.change_state(office.shop, agreement.id, "suspend", office.act("检查"))
    office.change_agreement(agreement.id, "bring_into_force")
    assert office.get(Agreement, agreement.id).state == "suspended"
    held = present_key(office)
    assert held.revoked_reason == "certificate_hold"
    with pytest.raises(TransitionError) as caught:
        seals.change_state(office.shop, office.world.seals["town"], "resume", office.act("恢复"))
    assert caught.value.code == "agreement-not-in-force"
    office.change_agreement(agreement.id, "resume")
    assert present_key(office).revoked_reason == "certificate_hold"  # stopped for a reason of its own
    seals.change_state(office.shop, office.world.seals["town"], "resume", office.act("恢复"))
    assert present_key(office).revoked_at is None


def test_a_cancelled_seal_gets_no_certificate(office):
    old = present_key(office)
    office.cancel("town")
    agreement = office.amended()
    office.change_agreement(agreement.id, "bring_into_force")
    assert present_key(office).key_version == old.key_version
    assert present_key(office).revoked_reason == "cessation_of_operation"


def test_what_changes_while_certificates_are_made_stops_the_amendment(office, monkeypatch):
    agreement = office.amended()
    make = certification.make

    def meanwhile(shop, intended, now):
        office.cancel("town")
        return make(shop, intended, now)

    monkeypatch.setattr(certification, "make", meanwhile)
    with pytest.raises(ConflictError) as caught:
        office.change_agreement(agreement.id, "bring_into_force")
    assert caught.value.code == "changed-meanwhile"
    assert office.get(Agreement, agreement.id).current.number == 1


def test_an_authority_that_fails_leaves_the_old_terms_in_force(office, monkeypatch):
    agreement = office.amended()

    def broken(shop, intended, now):
        raise OSError("the disk is full")

    monkeypatch.setattr(certification, "make", broken)
    with pytest.raises(OSError, match="disk"):
        office.change_agreement(agreement.id, "bring_into_force")
    monkeypatch.undo()
    assert office.get(Agreement, agreement.id).current.number == 1
    assert office.change_agreement(agreement.id, "bring_into_force").current.number == 2
    assert office.shop.book.audit() == []


@pytest.mark.parametrize(
    ("changes", "state"),
    [(("suspend",), "suspended"), (("suspend", "resume"), "in_force"), (("end",), "ended"), (("recall",), "recalled")],
)
def test_the_life_of_an_agreement(office, changes, state):
    agreement = office.world.agreements["city"]
    for change in changes:
        if change == "suspend":
            agreements.change_state(office.shop, agreement, change, office.act("监督检查"))
        else:
            office.change_agreement(agreement, change)
    told = "监督检查" if changes[-1] == "suspend" else "两人办理"
    assert (office.get(Agreement, agreement).state, office.get(Agreement, agreement).reason) == (state, told)


def test_an_ended_agreement_stays_ended(office):
    agreement = office.world.agreements["city"]
    office.change_agreement(agreement, "end")
    for change in ("suspend", "resume", "recall", "end"):
        with pytest.raises(TransitionError) as caught:
            office.change_agreement(agreement, change)
        assert caught.value.code == "agreement-change-refused"


@pytest.mark.parametrize("change", ["resume", "end", "recall"])
def test_an_agreement_in_force_is_changed_by_two_persons(office, change):
    agreement, before = office.world.agreements["city"], office.kinds()
    with pytest.raises(TransitionError) as caught:
        agreements.change_state(office.shop, agreement, change, office.act())
    assert caught.value.code == "two-persons-needed"
    amended = office.amended()
    with pytest.raises(TransitionError) as caught:
        agreements.bring_into_force(office.shop, amended.id, office.act())
    assert caught.value.code == "two-persons-needed"
    assert "agreement.amended" not in office.kinds()[len(before) :]


def test_the_approval_of_other_terms_brings_none_into_force(office):
    first = office.amended()
    act = office.approved(
        "change_agreement",
        agreement=first.id,
        change="bring_into_force",
        terms_digest=terms_digest(first.current.terms),
    )
    with pytest.raises(TransitionError) as caught:
        agreements.bring_into_force(office.shop, first.id, act)
    assert caught.value.code == "proposal-about-another"


def test_an_unknown_agreement_is_not_found(office):
    for operation in (
        lambda: agreements.bring_into_force(office.shop, new_id("agr"), office.act()),
        lambda: agreements.change_state(office.shop, new_id("agr"), "end", office.act()),
        lambda: agreements.sign(office.shop, new_id("agr"), "a.b.c", office.act()),
    ):
        with pytest.raises(NotFoundError):
            operation()


def test_terms_survive_the_way_through_json(office):
    value = json.loads(json.dumps(terms(office.world, "town")))
    assert read_terms(value).grantee == office.world.codes[TOWN]
    assert office.find(Seal, agreement=office.world.agreements["town"])[0].number == 35
