"""The life of an agreement: only two signatures over exactly these terms bring it into force."""

from datetime import timedelta

import pytest
from registry_samples import (
    DIGEST,
    END,
    GRANTEE,
    GRANTOR,
    START,
    THIRD,
    agreement,
    private_key,
    registered,
    terms,
)

from ledger.ids import new_id
from registry import agreements
from registry.agreements import Agreement, attach_signature, bring_into_force, change_state, sign_version
from registry.errors import EvidenceError, RecordInvalidError, RegistryError, TransitionError
from registry.statements import sign_statement

NOW = START + timedelta(days=30)
DAY = timedelta(days=1)
KEYS = {
    GRANTOR: registered("grantor", kind="organ", holder=GRANTOR, key_id="oky-" + "g" * 26),
    GRANTEE: registered("grantee", kind="organ", holder=GRANTEE, key_id="oky-" + "h" * 26),
    THIRD: registered("third", kind="organ", holder=THIRD, key_id="oky-" + "i" * 26),
}
NAMES = {GRANTOR: "grantor", GRANTEE: "grantee", THIRD: "third"}


def find(kid: str):
    return next((key for key in KEYS.values() if key.id == kid), None)


def signed(draft: Agreement, *organs: str) -> Agreement:
    for organ in organs:
        jws = sign_version(draft, organ, kid=KEYS[organ].id, key=private_key(NAMES[organ]))
        draft = attach_signature(draft, jws, find, now=NOW)
    return draft


def in_force() -> Agreement:
    return bring_into_force(signed(agreement(), GRANTOR, GRANTEE), now=NOW)


def code_of(error: type[RegistryError], action) -> str:
    with pytest.raises(error) as caught:
        action()
    assert caught.value.zh
    assert caught.value.en
    return caught.value.code


def test_both_sign_and_it_comes_into_force():
    done = in_force()
    assert (done.state, done.in_force_since) == ("in_force", NOW)
    assert done.current.signed_by == (GRANTOR, GRANTEE)
    assert done.current.unsigned_by == ()


@pytest.mark.parametrize(("organs", "missing"), [((), GRANTOR), ((GRANTOR,), GRANTEE), ((GRANTEE,), GRANTOR)])
def test_without_both_signatures_it_does_not(organs, missing):
    with pytest.raises(TransitionError, match="missing") as caught:
        bring_into_force(signed(agreement(), *organs), now=NOW)
    assert caught.value.code == "agreement-not-signed"
    assert missing in caught.value.en


def test_one_organ_cannot_sign_twice():
    draft = signed(agreement(), GRANTOR)
    assert code_of(TransitionError, lambda: signed(draft, GRANTOR)) == "agreement-signed-already"


def test_third_organ_cannot_sign():
    draft = agreement()
    assert code_of(EvidenceError, lambda: signed(draft, THIRD)) == "agreement-signature-other-organ"


def test_signature_in_anothers_name_is_refused():
    """The grantee's key over a payload that names the grantor."""
    draft = agreement()
    jws = sign_version(draft, GRANTOR, kid=KEYS[GRANTEE].id, key=private_key("grantee"))
    with pytest.raises(EvidenceError, match="organ") as caught:
        attach_signature(draft, jws, find, now=NOW)
    assert caught.value.code == "agreement-signature-other-terms"


@pytest.mark.parametrize("changed", ["agreement", "terms", "original", "version"])
def test_signature_over_anything_else_is_refused(changed):
    draft = agreement()
    version = draft.current
    other = {
        "agreement": draft.model_copy(update={"id": new_id("agr")}),
        "terms": draft.model_copy(update={"current": version.model_copy(update={"terms": terms(scope="别的")})}),
        "original": draft.model_copy(
            update={"current": version.model_copy(update={"original_digest": DIGEST.replace("ab", "cd")})}
        ),
        "version": draft.model_copy(update={"current": version.model_copy(update={"number": 2})}),
    }[changed]
    jws = sign_version(other, GRANTOR, kid=KEYS[GRANTOR].id, key=private_key("grantor"))
    with pytest.raises(EvidenceError, match=changed) as caught:
        attach_signature(draft, jws, find, now=NOW)
    assert caught.value.code == "agreement-signature-other-terms"


def test_truth_is_not_the_number_one():
    draft = agreement()
    payload = agreements.signature_payload(draft, draft.current, GRANTOR) | {"v": True}
    jws = sign_statement(payload, typ=agreements.TYP, kid=KEYS[GRANTOR].id, key=private_key("grantor"))
    assert code_of(EvidenceError, lambda: attach_signature(draft, jws, find, now=NOW)).endswith("other-terms")


def test_additional_member_is_refused():
    draft = agreement()
    payload = agreements.signature_payload(draft, draft.current, GRANTOR) | {"note": "x"}
    jws = sign_statement(payload, typ=agreements.TYP, kid=KEYS[GRANTOR].id, key=private_key("grantor"))
    with pytest.raises(EvidenceError, match="note"):
        attach_signature(draft, jws, find, now=NOW)


def test_key_outside_its_period_is_refused():
    draft = agreement()
    jws = sign_version(draft, GRANTOR, kid=KEYS[GRANTOR].id, key=private_key("grantor"))
    assert (
        code_of(EvidenceError, lambda: attach_signature(draft, jws, find, now=START - DAY))
        == "agreement-signature-key-expired"
    )


@pytest.mark.parametrize(("moment", "allowed"), [(END - timedelta(microseconds=1), True), (END, False)])
def test_period_over_is_the_end_of_it(moment, allowed):
    draft = signed(agreement(), GRANTOR, GRANTEE)
    if allowed:
        assert bring_into_force(draft, now=moment).state == "in_force"
    else:
        assert code_of(TransitionError, lambda: bring_into_force(draft, now=moment)) == "agreement-period-over"


ALLOWED = {
    ("draft", "end"): "ended",
    ("in_force", "suspend"): "suspended",
    ("in_force", "end"): "ended",
    ("in_force", "recall"): "recalled",
    ("suspended", "resume"): "in_force",
    ("suspended", "end"): "ended",
    ("suspended", "recall"): "recalled",
}


@pytest.mark.parametrize("state", ["draft", "in_force", "suspended", "ended", "recalled"])
@pytest.mark.parametrize("change", ["suspend", "resume", "end", "recall"])
def test_state_table(state, change):
    """As docs/life-cycles.md has it: whatever is not in the table is refused."""
    present = in_force().model_copy(update={"state": state})
    if (state, change) in ALLOWED:
        done = change_state(present, change, reason="检查发现问题")
        assert (done.state, done.reason) == (ALLOWED[state, change], "检查发现问题")
        assert done.current == present.current
    else:
        with pytest.raises(TransitionError, match=f"the agreement is {state}; {change}") as caught:
            change_state(present, change, reason="检查发现问题")
        assert caught.value.code == "agreement-change-refused"


def test_change_needs_a_reason():
    assert code_of(RecordInvalidError, lambda: change_state(in_force(), "suspend", reason="")) == "record-invalid"


def test_amendment_needs_new_signatures_and_keeps_the_lineage():
    first = in_force()
    wider = terms(items=[{"list": "002-2", "number": 14}, {"list": "002-2", "number": 15}])
    opened = agreements.amend(first, wider, original_digest=DIGEST)
    assert opened.current == first.current
    assert opened.pending is not None
    assert (opened.pending.number, opened.pending.signatures) == (2, ())
    assert code_of(TransitionError, lambda: bring_into_force(opened, now=NOW)) == "agreement-not-signed"
    half = signed(opened, GRANTEE)
    assert half.current == first.current
    done = bring_into_force(signed(half, GRANTOR), now=NOW + DAY)
    assert (done.id, done.current.number, done.pending) == (first.id, 2, None)
    assert done.terms == wider


def test_signature_of_the_first_version_is_none_of_the_second():
    first = in_force()
    jws = first.current.signatures[0].jws
    opened = agreements.amend(first, first.terms, original_digest=DIGEST)
    with pytest.raises(EvidenceError, match="version"):
        attach_signature(opened, jws, find, now=NOW)


def test_amendment_of_a_suspended_agreement_stays_suspended():
    paused = change_state(in_force(), "suspend", reason="检查")
    opened = agreements.amend(paused, terms(scope="缩小"), original_digest=DIGEST)
    done = bring_into_force(signed(opened, GRANTOR, GRANTEE), now=NOW)
    assert (done.state, done.terms.scope) == ("suspended", "缩小")


@pytest.mark.parametrize(
    "changes",
    [
        {"grantee": THIRD, "users": [THIRD]},
        {"grantor": THIRD},
        {"number": "另一号"},
        {"regime": "city_county"},
    ],
    ids=str,
)
def test_amendment_cannot_change_the_parties(changes):
    assert (
        code_of(RecordInvalidError, lambda: agreements.amend(in_force(), terms(**changes), original_digest=DIGEST))
        == "agreement-other-parties"
    )


@pytest.mark.parametrize("state", ["draft", "ended", "recalled"])
def test_amendment_needs_an_agreement_that_lives(state):
    present = in_force().model_copy(update={"state": state})
    assert (
        code_of(TransitionError, lambda: agreements.amend(present, terms(), original_digest=DIGEST))
        == "agreement-change-refused"
    )


def test_nothing_to_sign_without_an_amendment():
    assert code_of(TransitionError, lambda: signed(in_force(), GRANTOR)) == "agreement-nothing-to-sign"
    assert code_of(TransitionError, lambda: bring_into_force(in_force(), now=NOW)) == "agreement-nothing-to-sign"


def test_end_drops_the_pending_amendment():
    opened = agreements.amend(in_force(), terms(scope="别的"), original_digest=DIGEST)
    ended = change_state(opened, "end", reason="双方协商")
    assert ended.pending is None
    assert code_of(TransitionError, lambda: bring_into_force(ended, now=NOW)) == "agreement-nothing-to-sign"
