"""Suspicion, cancellation, an effective time in the past, destruction: by whom, and what everybody is told at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from world import TOWN

from authority.ocsp import request_about
from authority.ocsp_response import read_response
from authority.revocation import read_crl
from keystore.interface import KeyNotDestroyedError, KeyNotFoundError
from ledger.moments import to_text
from registry.errors import RecordInvalidError, TransitionError
from registry.records import Seal, SealKey
from sealing import ocsp, revocation
from sealing.administration import seals
from sealing.administration.destruction import destroy


def keys_of(office, name: str = "town") -> list[SealKey]:
    found = office.find(SealKey, seal=office.world.seals[name])
    return sorted(found, key=lambda each: each.key_version)


def rotate(office, name: str = "town") -> SealKey:
    seal = office.world.seals[name]
    act = office.approved("rotate_key", seal=seal, algorithm="ecdsa-p256-sha256")
    return seals.rotate_key(office.shop, seal, act).record


def code_of(error, call) -> str:
    with pytest.raises(error) as caught:
        call()
    return caught.value.code


def listed(office, key: SealKey):
    issuer = office.shop.installation.issuer_certificate
    return read_crl(revocation.crl(office.shop, office.now), issuer).revoked.get(int(key.serial, 16))


def answered(office, key: SealKey):
    import base64

    issuer = office.shop.installation.issuer_certificate
    certificate = x509.load_der_x509_certificate(base64.b64decode(key.chain[0]))
    assert request_about(certificate, issuer).serial == int(key.serial, 16)
    (found,) = read_response(ocsp.answer_for(office.shop, certificate, office.now), issuer)
    return found


def test_what_takes_two_persons_is_refused_to_one(office):
    seal, act = office.world.seals["town"], office.act()
    (key,) = keys_of(office)
    before = office.kinds()
    for call in (
        lambda: seals.rotate_key(office.shop, seal, act),
        lambda: seals.cancel(office.shop, seal, "superseded", act),
        lambda: seals.backdate(office.shop, key.id, office.now, act),
        lambda: destroy(office.shop, seal, act),
    ):
        assert code_of(TransitionError, call) == "two-persons-needed"
    assert office.kinds() == before
    assert len(office.shop.keystore.refs()) == len(set(office.shop.keystore.refs()))


def test_an_approval_serves_only_for_the_seal_and_the_reason_it_names(office):
    seal, other = office.world.seals["town"], office.world.seals["city"]
    act = office.approved("cancel_seal", seal=seal, reason="superseded")
    for wrong in (
        lambda: seals.cancel(office.shop, other, "superseded", act),
        lambda: seals.cancel(office.shop, seal, "privilege_withdrawn", act),
    ):
        assert code_of(TransitionError, wrong) == "proposal-about-another"
    assert seals.cancel(office.shop, seal, "superseded", act).record.state == "cancelled"
    assert keys_of(office)[0].revoked_reason == "superseded"


def test_suspicion_revokes_every_certificate_at_once_and_only_a_new_key_goes_on(office):
    seal = office.world.seals["town"]
    rotate(office)
    act = office.act("钥匙疑似外泄")
    assert seals.suspect(office.shop, seal, act).record.state == "suspended"
    assert [(key.state, key.revoked_reason) for key in keys_of(office)] == [("cancelled", "key_compromise")] * 2
    for key in keys_of(office):
        assert listed(office, key).reason == "key_compromise"
        assert answered(office, key).revoked.reason == "key_compromise"
    resume = lambda: seals.change_state(office.shop, seal, "resume", office.act())  # noqa: E731  tried twice
    assert code_of(TransitionError, resume) == "seal-needs-new-key"
    assert rotate(office).state == "suspended"
    resume()
    assert [key.state for key in keys_of(office)] == ["cancelled", "cancelled", "active"]
    assert listed(office, keys_of(office)[2]) is None


def test_suspicion_comes_from_the_custodian_too_and_from_nobody_who_says_so(office):
    seal, custodian = office.world.seals["town"], office.world.staff[TOWN].custodian
    stranger = office.act()
    wrong = lambda: seals.suspect(office.shop, seal, stranger, role="custodian")  # noqa: E731  judged below
    assert code_of(TransitionError, wrong) == "not-the-custodian"
    own = replace(stranger, by=replace(stranger.by, id=custodian))
    enable = lambda: seals.change_state(office.shop, seal, "resume", own, role="custodian")  # noqa: E731  as above
    seals.change_state(office.shop, seal, "suspend", own, role="custodian")
    assert code_of(TransitionError, enable) == "key-role-refused"
    seals.suspect(office.shop, seal, replace(own, now=office.act().now), role="custodian")
    again = lambda: seals.suspect(office.shop, seal, office.act())  # noqa: E731  as above
    assert code_of(TransitionError, again) == "nothing-to-revoke"


def test_an_effective_time_in_the_past_is_told_by_list_answer_and_record(office):
    seal = office.world.seals["town"]
    seals.suspect(office.shop, seal, office.act())
    (key,) = keys_of(office)
    since = (office.now - timedelta(minutes=30)).replace(microsecond=0)
    act = office.approved("backdate_revocation", key=key.id, effective=to_text(since))
    assert seals.backdate(office.shop, key.id, since, act).record.revoked.effective == since
    assert (listed(office, key).invalid_since, listed(office, key).effective) == (since, since)
    assert listed(office, key).time == key.revoked_at.replace(microsecond=0)
    assert answered(office, key).revoked.invalid_since == since
    later = lambda: seals.backdate(  # noqa: E731  judged below
        office.shop,
        key.id,
        since + timedelta(minutes=1),
        office.approved("backdate_revocation", key=key.id, effective=to_text(since + timedelta(minutes=1))),
    )
    assert code_of(RecordInvalidError, later) == "effective-not-earlier"


def destroying(office, name: str = "town"):
    seal = office.world.seals[name]
    return destroy(office.shop, seal, office.approved("destroy_seal", seal=seal)).record


def test_every_key_of_a_cancelled_seal_is_destroyed_with_evidence(office):
    rotate(office)
    refs = {key.key_ref for key in keys_of(office)}
    assert code_of(TransitionError, lambda: destroying(office)) == "seal-change-refused"
    office.cancel("town")
    assert destroying(office).state == "destroyed"
    assert not refs & set(office.shop.keystore.refs())
    for key in keys_of(office):
        assert key.state == "destroyed"
        assert (key.destruction["objects_after"], key.destruction["objects_before"]) == ("0", "1")
        assert listed(office, key) is not None  # destroyed keys stay on the list
    assert office.kinds().count("key_destruction.intended") == 2


class _Between(Exception):  # noqa: N818  the end of a process, not an error
    """The process ends here."""


def test_a_crash_between_the_module_and_the_record_is_finished_by_running_again(office, monkeypatch):
    from sealing.administration import key_steps

    office.cancel("town")
    record = key_steps.destroy

    def ends(*_):
        raise _Between

    monkeypatch.setattr(key_steps, "destroy", ends)
    with pytest.raises(_Between):
        destroying(office)
    assert office.get(Seal, office.world.seals["town"]).state == "cancelled"
    monkeypatch.setattr(key_steps, "destroy", record)
    assert destroying(office).state == "destroyed"
    assert keys_of(office)[0].destruction["seen"] == "absent"


def test_a_key_that_is_missing_although_nobody_destroyed_it_is_not_called_destroyed(office):
    office.cancel("town")
    office.shop.keystore.destroy(keys_of(office)[0].key_ref)
    for _ in range(2):
        assert code_of(KeyNotFoundError, lambda: destroying(office)) == "key-not-found"
    assert [key.state for key in keys_of(office)] == ["cancelled"]


def test_a_module_that_does_not_confirm_leaves_the_seal_cancelled(office, monkeypatch):
    office.cancel("town")

    def unconfirmed(ref, _grounds=None):
        raise KeyNotDestroyedError(f"密钥 {ref} 仍在", f"key {ref} is still there")

    monkeypatch.setattr(office.shop.keystore, "destroy", unconfirmed)
    assert code_of(KeyNotDestroyedError, lambda: destroying(office)) == "key-not-destroyed"
    assert office.get(Seal, office.world.seals["town"]).state == "cancelled"
    assert keys_of(office)[0].destruction is None


@pytest.mark.parametrize("change", ["suspend", "end", "recall"])
def test_an_agreement_that_stops_stops_its_seals_in_the_same_commit(office, change):
    seal, agreement = office.world.seals["town"], office.world.agreements["town"]
    office.change_agreement(agreement, change)
    assert office.get(Seal, seal).state == "suspended"
    assert office.kinds()[-3:-1] == [f"agreement.{change.rstrip('e')}ed", "seal.suspended"]
    assert listed(office, keys_of(office)[0]).reason == "certificate_hold"


def test_what_the_agreement_stopped_goes_on_with_it_and_what_somebody_stopped_does_not(office):
    seal, agreement = office.world.seals["town"], office.world.agreements["town"]

    def change(step):
        office.change_agreement(agreement, step)

    change("suspend")
    resume = lambda: seals.change_state(office.shop, seal, "resume", office.act())  # noqa: E731  judged below
    assert code_of(TransitionError, resume) == "agreement-not-in-force"
    change("resume")
    assert (office.get(Seal, seal).state, keys_of(office)[0].state) == ("active", "active")
    assert len(keys_of(office)[0].holds) == 1
    change("suspend")
    seals.change_state(office.shop, seal, "suspend", office.act("另有原因"))
    change("resume")
    assert office.get(Seal, seal).state == "suspended"
    resume()
    assert office.get(Seal, seal).state == "active"


def test_a_seal_whose_agreement_has_lapsed_is_suspended_once(office):
    from sealing.administration.agreement_seals import suspend_lapsed

    assert suspend_lapsed(office.shop, office.now) == []
    after = office.now + timedelta(days=20 * 366)
    assert office.world.seals["town"] in suspend_lapsed(office.shop, after)
    assert suspend_lapsed(office.shop, after) == []
    assert keys_of(office)[0].state == "suspended"
