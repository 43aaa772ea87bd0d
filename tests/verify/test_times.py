"""Time: what is proven, by whose word, and what follows for a certificate that expired or was revoked."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from time_units import (
    Outside,
    TimeUnit,
    archived,
    digest,
    forged_time,
    own_unit,
    signature_value,
    with_store,
    with_tokens,
)
from world import START

from authority.errors import TimeStampTokenError
from authority.revocation import Revoked
from authority.timestamp_token import read_token
from ledger.cosignature import WitnessIdentity, cosign, merge
from verify.receipt import Receipt
from verify.verdict import Indication, Verdict

PASSED, CANNOT_TELL, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
SOON = START + timedelta(seconds=2)
LATER = START + timedelta(hours=1)
EXPIRED = datetime(2028, 6, 1, tzinfo=UTC)
RENEWED = datetime(2027, 6, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Case:
    """The archive with one unit outside, one of its own, and a witness."""

    archive: object
    outside: Outside
    own: TimeUnit
    witness: WitnessIdentity
    witness_key: object

    def stamped(self, *units: TimeUnit, when: datetime = SOON) -> tuple[bytes, Receipt]:
        data = self.archive.final.data
        tokens = [unit.over(_sha256(signature_value(data)), when) for unit in units]
        return self.recorded(with_tokens(data, *tokens), level="PAdES-B-T")

    def recorded(self, data: bytes, *, level: str) -> tuple[bytes, Receipt]:
        changed = {"sealed_digest": digest(data), "sealed_length": len(data), "level": level}
        return data, self.archive.forge(self.archive.final, document=changed)

    def cosigned(self, receipt: Receipt, when: datetime = LATER) -> Receipt:
        note = receipt.evidence.checkpoint
        line = cosign(note, self.witness, self.witness_key, when)
        return replace(receipt, evidence=replace(receipt.evidence, checkpoint=merge(note, line + "\n")))

    def judge(self, given: tuple[bytes, Receipt | None], *, now: datetime = LATER, **trust: object) -> Verdict:
        trusted = {"timestamp_roots": (self.outside.root,), "witnesses": (self.witness,)} | trust
        return self.archive.judge(given[0], given[1], trust=self.archive.trusting(**trusted), now=now)


def _sha256(data: bytes) -> bytes:
    return bytes.fromhex(digest(data).removeprefix("sha256:"))


@pytest.fixture(scope="module")
def case(archive) -> Case:
    key = archive.keystore.generate("witness", "ed25519")
    return Case(
        archive=archive,
        outside=Outside(archive.keystore),
        own=own_unit(archive),
        witness=WitnessIdentity.of_key("witness.example/one", key),
        witness_key=key,
    )


def given(case: Case, basis: str) -> tuple[bytes, Receipt]:
    if basis == "outside_time_stamp":
        return case.stamped(case.outside.unit)
    if basis == "operator_time_stamp":
        return case.stamped(case.own)
    plain = (case.archive.final.data, case.archive.final.receipt)
    return (plain[0], case.cosigned(plain[1])) if basis == "witnessed" else plain


PROVEN = ["outside_time_stamp", "witnessed"]
MATRIX = [
    *((basis, "good", PASSED, None) for basis in [*PROVEN, "operator_time_stamp", "operator_only"]),
    *((basis, "expired", PASSED, None) for basis in [*PROVEN, "operator_time_stamp"]),
    ("operator_only", "expired", CANNOT_TELL, "OUT_OF_BOUNDS_NO_POE"),
    *((basis, "revoked after", PASSED, None) for basis in PROVEN),
    *((basis, "revoked after", CANNOT_TELL, "REVOKED_NO_POE") for basis in ["operator_time_stamp", "operator_only"]),
    *((basis, "held after", PASSED, None) for basis in PROVEN),
    ("operator_time_stamp", "held after", CANNOT_TELL, "REVOKED_NO_POE"),
    *((basis, "revoked before", FAILED, "REVOKED") for basis in [*PROVEN, "operator_time_stamp", "operator_only"]),
]


@pytest.mark.parametrize(("basis", "state", "indication", "sub"), MATRIX)
def test_what_the_time_rests_on_decides(case: Case, basis, state, indication, sub) -> None:
    revoked_at = {"revoked after": START + timedelta(hours=2), "held after": START + timedelta(hours=2)}
    revoked_at["revoked before"] = START - timedelta(hours=1)
    now, crls = LATER, ()
    if state == "expired":
        now = EXPIRED
    elif state != "good":
        reason = "certificate_hold" if state.startswith("held") else "key_compromise"
        now = START + timedelta(hours=3)
        serial = case.archive.serial(case.archive.final)
        crls = (case.archive.crl(Revoked(serial=serial, time=revoked_at[state], reason=reason), now=now),)
    verdict = case.judge(given(case, basis), now=now, crls=crls)
    assert (verdict.indication, verdict.sub_indication) == (indication, sub), verdict.all_findings
    assert verdict.signatures[0].time["basis"] == basis


def said(verdict: Verdict) -> dict[str, str]:
    return {each.code: each.severity for each in verdict.all_findings}


def test_an_operators_time_stamp_is_told_to_be_the_operators(case: Case) -> None:
    verdict = case.judge(given(case, "operator_time_stamp"), now=EXPIRED)
    assert said(verdict)["time_rests_on_operator"] == "warning"
    assert verdict.signatures[0].level == "PAdES-B-T"


def test_without_the_outside_root_its_time_stamp_proves_nothing(case: Case) -> None:
    verdict = case.judge(given(case, "outside_time_stamp"), now=LATER, timestamp_roots=())
    assert verdict.indication is PASSED
    assert said(verdict)["timestamp_issuer_not_judged"] == "warning"
    assert said(verdict)["level_not_confirmed"] == "warning"
    assert (verdict.signatures[0].level, verdict.signatures[0].time["basis"]) == ("PAdES-B-B", "operator_only")


def test_two_time_stamps_of_two_authorities_are_allowed(case: Case) -> None:
    verdict = case.judge(case.stamped(case.outside.unit, case.own))
    assert verdict.indication is PASSED
    assert [each["trust"] for each in verdict.signatures[0].time["time_stamps"]] == ["outside", "operator"]


def test_a_time_stamp_copied_from_another_signature_fails(case: Case) -> None:
    token = case.outside.unit.over(_sha256(signature_value(case.archive.other.data)), SOON)
    verdict = case.judge(case.recorded(with_tokens(case.archive.final.data, token), level="PAdES-B-T"))
    assert (verdict.indication, said(verdict)["timestamp_of_another_signature"]) == (FAILED, "failure")


def test_a_duplicated_time_stamp_fails(case: Case) -> None:
    data = case.archive.final.data
    token = case.outside.unit.over(_sha256(signature_value(data)), SOON)
    verdict = case.judge(case.recorded(with_tokens(data, token, token), level="PAdES-B-T"))
    assert (verdict.indication, said(verdict)["timestamp_duplicated"]) == (FAILED, "failure")


def test_a_time_stamp_with_another_time_in_it_fails(case: Case) -> None:
    data = case.archive.final.data
    token = forged_time(case.outside.unit.over(_sha256(signature_value(data)), SOON))
    with pytest.raises(TimeStampTokenError) as raised:
        read_token(token)
    assert raised.value.code == "token-digest"
    verdict = case.judge(case.recorded(with_tokens(data, token), level="PAdES-B-T"))
    assert (verdict.indication, said(verdict)["timestamp_invalid"]) == (FAILED, "failure")


def test_a_stripped_time_stamp_is_another_file(case: Case) -> None:
    _, receipt = case.stamped(case.outside.unit)
    verdict = case.judge((case.archive.final.data, receipt))
    assert (verdict.indication, said(verdict)["receipt_of_another_file"]) == (FAILED, "failure")


def test_a_time_stamp_by_a_revoked_unit_proves_nothing(case: Case) -> None:
    revoked = (case.outside.unit.certificate, START + timedelta(minutes=5), x509.ReasonFlags.key_compromise)
    verdict = case.judge(case.stamped(case.outside.unit), crls=(case.outside.crl(revoked, now=LATER),))
    assert said(verdict)["timestamp_not_usable"] == "warning"
    assert verdict.signatures[0].time["basis"] == "operator_only"


def test_tokens_outlive_a_unit_that_was_only_superseded(case: Case) -> None:
    revoked = (case.outside.unit.certificate, START + timedelta(minutes=5), x509.ReasonFlags.superseded)
    verdict = case.judge(case.stamped(case.outside.unit), crls=(case.outside.crl(revoked, now=LATER),))
    assert verdict.signatures[0].time["basis"] == "outside_time_stamp"


def test_a_time_stamp_from_the_future_proves_nothing(case: Case) -> None:
    verdict = case.judge(case.stamped(case.outside.unit, when=START + timedelta(days=2)))
    assert said(verdict)["timestamp_not_usable"] == "warning"


def complete(case: Case) -> bytes:
    """With the operator's list and the outside one: what level LT asks for."""
    data, _ = case.stamped(case.outside.unit)
    lists = [case.archive.crl(now=SOON), root_crl(case), case.outside.crl(now=SOON)]
    return with_store(data, crls=lists, certificates=[case.archive.issuer])


def root_crl(case: Case) -> bytes:
    from authority.revocation import make_crl

    root, key = case.archive.trust.roots[0], case.archive.keystore.open(case.archive.root_key)
    return make_crl(root, key, [], number=1, now=SOON, next_update=SOON + timedelta(hours=12))


def test_the_level_is_what_is_really_there(case: Case) -> None:
    lasting = complete(case)
    archive = archived(lasting, case.outside.unit, LATER)
    for data, level in ((lasting, "PAdES-B-LT"), (archive, "PAdES-B-LTA")):
        verdict = case.judge(case.recorded(data, level=level), now=LATER)
        assert (verdict.indication, verdict.signatures[0].level) == (PASSED, level), verdict.all_findings
        assert "level_not_confirmed" not in said(verdict)


def test_embedded_data_answer_years_later(case: Case) -> None:
    """Nothing but the file, long after its lists ran out: what it brings along speaks for the time it was used."""
    second = Outside(case.archive.keystore, ends=datetime(2045, 1, 1, tzinfo=UTC))
    data, receipt = case.recorded(archived(complete(case), case.outside.unit, LATER), level="PAdES-B-LTA")
    renewed = archived(data, second.unit, RENEWED, field="Archive 2")
    trust = {"timestamp_roots": (case.outside.root, second.root)}
    verdict = case.judge((renewed, receipt), now=RENEWED + timedelta(days=1), **trust)
    assert verdict.indication is PASSED, verdict.all_findings
    assert verdict.signatures[0].certificate["revocation"]["signer"] == "good_then"


def test_a_lost_archive_revision_fails(case: Case) -> None:
    lasting = complete(case)
    _, receipt = case.recorded(archived(lasting, case.outside.unit, LATER), level="PAdES-B-LTA")
    verdict = case.judge((lasting, receipt))
    assert (verdict.indication, said(verdict)["delivered_part_missing"]) == (FAILED, "failure")


def test_time_stamps_in_the_wrong_order_leave_doubt(case: Case) -> None:
    data = archived(case.stamped(case.outside.unit, when=LATER)[0], case.outside.unit, SOON)
    verdict = case.judge(case.recorded(data, level="PAdES-B-T"))
    assert (verdict.indication, verdict.sub_indication) == (CANNOT_TELL, "TIMESTAMP_ORDER_FAILURE")


def test_a_witness_is_told_with_number_and_name(case: Case) -> None:
    verdict = case.judge(given(case, "witnessed"))
    facts = verdict.signatures[0].ledger
    assert facts["witnessed"] == "witnessed 1 of 1"
    assert facts["witnesses"] == [{"name": "witness.example/one", "time": "2026-11-02T02:00:00.000000Z"}]
    assert said(verdict)["witnessed"] == "note"
    assert "operator_only" not in said(verdict)


def test_a_strangers_cosignature_counts_for_nothing(case: Case) -> None:
    verdict = case.judge(given(case, "witnessed"), witnesses=())
    assert verdict.signatures[0].ledger["witnessed"] == "operator_only"
    assert verdict.signatures[0].time["basis"] == "operator_only"


def test_a_time_stamped_checkpoint_proves_the_time(case: Case) -> None:
    receipt = case.archive.final.receipt
    for unit, basis in ((case.outside.unit, "outside_time_stamp"), (case.own, "operator_time_stamp")):
        token = unit.over(receipt.evidence.stamped_digest(), LATER)
        evidence = replace(receipt.evidence, tokens=(token,))
        verdict = case.judge((case.archive.final.data, replace(receipt, evidence=evidence)))
        assert (verdict.indication, verdict.signatures[0].time["basis"]) == (PASSED, basis)
    other = replace(receipt.evidence, tokens=(case.outside.unit.over(bytes(32), LATER),))
    verdict = case.judge((case.archive.final.data, replace(receipt, evidence=other)))
    assert said(verdict)["checkpoint_token_unusable"] == "warning"
    assert verdict.signatures[0].time["basis"] == "operator_only"


def test_a_released_hold_is_over_and_a_standing_one_counts(case: Case) -> None:
    serial, now = case.archive.serial(case.archive.final), START + timedelta(hours=3)
    held = Revoked(serial=serial, time=START - timedelta(hours=1), reason="certificate_hold")
    old, new = case.archive.crl(held, now=START), case.archive.crl(now=START + timedelta(hours=2), number=2)
    plain = (case.archive.final.data, case.archive.final.receipt)
    assert case.judge(plain, now=now, crls=(old, new)).indication is PASSED
    again = case.archive.crl(held, now=START + timedelta(hours=2), number=2)
    assert case.judge(plain, now=now, crls=(case.archive.crl(now=START), again)).indication is FAILED
