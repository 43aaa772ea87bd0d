"""The seal fits agreement and setup table, and its life goes one way."""

from datetime import UTC, datetime

import pytest
from registry_samples import THIRD, agreement, organ, seal, seal_key

from ledger.ids import new_id
from policies.facts import SetupFacts
from registry.errors import ConflictError, RecordInvalidError, TransitionError
from registry.seal_keys import SealKey
from registry.seals import Seal, Specimen, change_state, check_fit, fill_filing, seal_name

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WHO = new_id("per")
SETUP = SetupFacts(regime="county_township", region="360732100", number=35)
AGREEMENT = agreement()
ORGAN = organ()


def fitting(**changes) -> Seal:
    return seal(agreement=AGREEMENT.id, **changes)


def changed(present: Seal, change) -> Seal:
    return change_state(present, change, reason="新刻启用", person=WHO, now=NOW)


def test_fitting_seal():
    check_fit(fitting(), AGREEMENT, grantor=ORGAN, setup=SETUP)


@pytest.mark.parametrize(
    ("wrong", "zh", "en"),
    [
        (fitting(number=36), "编号应为 35，实为 36", "number should be 35, found 36"),
        (fitting(owner=THIRD), "所有单位", "owner"),
        (
            fitting(name="兴国县林业局行政审批专用章（35）"),
            "名称",
            "name should be 兴国县行政审批局行政审批专用章（35）",
        ),
        (fitting(name="兴国县行政审批局行政审批专用章（12）"), "名称", "name"),
        (seal(), "协议", "agreement"),
        (fitting(state="active"), "状态", "state"),
    ],
    ids=["number", "owner", "bureau", "number in name", "agreement", "state"],
)
def test_each_misfit_is_named(wrong, zh, en):
    with pytest.raises(RecordInvalidError) as caught:
        check_fit(wrong, AGREEMENT, grantor=ORGAN, setup=SETUP)
    assert caught.value.code == "seal-does-not-fit"
    assert zh in caught.value.zh
    assert en in caught.value.en


def test_region_without_a_setup_row_and_a_wrong_grantor():
    with pytest.raises(RecordInvalidError, match="number should be None"):
        check_fit(fitting(), AGREEMENT, grantor=ORGAN, setup=None)
    with pytest.raises(RecordInvalidError, match="grantor should be"):
        check_fit(fitting(), AGREEMENT, grantor=organ(code=THIRD), setup=SETUP)


def test_name_is_the_legal_name_and_the_number():
    assert seal_name(organ(legal_name="赣州市行政审批局"), 12) == "赣州市行政审批局行政审批专用章（12）"


@pytest.mark.parametrize(
    "name",
    [
        "兴国县行政审批局行政审批专用章(35)",
        "兴国县行政审批局行政审批专用章（035）",
        "兴国县行政审批局行政审批专用章（0）",
        "兴国县行政审批局行政审批专用章（３５）",
        "兴国县行政审批局行政审批专用章",
        "兴国县行政审批局 行政审批专用章（35）",
        "XX局行政审批专用章（35）",
        "兴国县行政审批局行政审批专用章（35）\n",
        "兴国县行政审批局\u200b行政审批专用章（35）",
        "兴国县行政审批ロ行政审批专用章（35）",
    ],
)
def test_name_is_han_and_a_number_in_wide_brackets(name):
    with pytest.raises(ValueError, match="name"):
        seal(name=name)


@pytest.mark.parametrize("diameter", ["19.99", "45.01", "0", "-42", "4e1", "42.123", "", "NaN"])
def test_diameter_stays_below_an_official_seal(diameter):
    with pytest.raises(ValueError, match="diameter"):
        Specimen(diameter_mm=diameter, sample=True)


@pytest.mark.parametrize("diameter", ["20", "42", "45", "45.00"])
def test_diameter_bounds_are_allowed(diameter):
    assert Specimen(diameter_mm=diameter, sample=False).diameter_mm == diameter


ALLOWED = {
    ("pending", "enable"): "active",
    ("active", "suspend"): "suspended",
    ("suspended", "resume"): "active",
    ("pending", "cancel"): "cancelled",
    ("active", "cancel"): "cancelled",
    ("suspended", "cancel"): "cancelled",
    ("cancelled", "destroy"): "destroyed",
}


@pytest.mark.parametrize("state", ["pending", "active", "suspended", "cancelled", "destroyed"])
@pytest.mark.parametrize("change", ["enable", "suspend", "resume", "cancel", "destroy"])
def test_state_table(state, change):
    """As docs/life-cycles.md has it: whatever is not in the table is refused."""
    present = fitting(state=state)
    if (state, change) in ALLOWED:
        done = changed(present, change)
        assert done.state == ALLOWED[state, change]
        (slot,) = done.filings
        assert (slot.state, slot.reason, slot.person, slot.time) == (done.state, "新刻启用", WHO, NOW)
        assert slot.filing_number is None
    else:
        with pytest.raises(TransitionError, match=f"the seal is {state}; {change}") as caught:
            changed(present, change)
        assert caught.value.code == "seal-change-refused"


@pytest.mark.parametrize(("state", "change"), [("pending", "enable"), ("suspended", "resume")])
def test_seal_without_custodian_is_not_put_to_use(state, change):
    with pytest.raises(TransitionError) as caught:
        changed(fitting(state=state, custodian=None), change)
    assert caught.value.code == "seal-has-no-custodian"
    assert changed(fitting(state=state, custodian=None), "cancel").state == "cancelled"


def test_each_change_has_its_filing_slot():
    present = fitting()
    for change in ("enable", "suspend", "resume", "cancel", "destroy"):
        present = changed(present, change)
    assert [slot.state for slot in present.filings] == ["active", "suspended", "active", "cancelled", "destroyed"]
    filed = fill_filing(present, 1, "赣公备2026-7")
    assert [slot.filing_number for slot in filed.filings] == [None, "赣公备2026-7", None, None, None]
    with pytest.raises(ConflictError, match="already holds 赣公备2026-7"):
        fill_filing(filed, 1, "赣公备2026-8")


@pytest.mark.parametrize("position", [-1, 0, 5])
def test_unknown_filing_slot(position):
    with pytest.raises(RecordInvalidError) as caught:
        fill_filing(fitting(), position, "赣公备2026-7")
    assert caught.value.code == "filing-slot-unknown"


def test_change_without_a_reason_is_refused():
    with pytest.raises(RecordInvalidError, match="reason"):
        change_state(fitting(), "enable", reason="", person=WHO, now=NOW)


def test_number_is_taken_until_cancelled():
    assert [fitting(state=state).takes_its_number for state in ("pending", "active", "suspended")] == [True] * 3
    assert not fitting(state="cancelled").takes_its_number
    assert not fitting(state="destroyed").takes_its_number


@pytest.mark.parametrize(
    "changes",
    [
        {"not_after": seal_key().not_before},
        {"revoked_at": NOW},
        {"revoked_reason": "keyCompromise"},
        {"chain": ()},
        {"serial": "0A"},
        {"key_ref": "no scheme"},
        {"key_version": 0},
    ],
    ids=str,
)
def test_wrong_key_record_is_refused(changes):
    with pytest.raises(ValueError, match="SealKey"):
        seal_key(**changes)


def test_key_record_of_a_revoked_certificate():
    assert seal_key(revoked_at=NOW, revoked_reason="keyCompromise").revoked_at == NOW
    assert isinstance(seal_key(), SealKey)
