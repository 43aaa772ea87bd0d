"""Uses of the physical seal: who may report them, and what is found about the person who signed on paper."""

from datetime import timedelta

import pytest
from world import COUNTY, TOWN

from sealing.audit import audit
from sealing.errors import NotAllowedError, OrderError
from sealing.paper_use import PaperUse, paper_use
from sealing.usage_register import Period, lines


def use_of(installed, **changed) -> PaperUse:
    world = installed.world
    values = {
        "order": world.order("city"),
        "used_at": world.now,
        "reason": "系统停机",
        "approver": world.staff[COUNTY].principal,
    }
    return PaperUse(**(values | changed))


def record(installed, use: PaperUse, caller=None):
    return paper_use(installed.shop, use, caller or installed.caller, installed.clock())


def approver_finding(recorded) -> dict[str, object]:
    (found,) = [each for each in recorded.findings if each["code"] == "approver_is_principal"]
    return found


def test_the_principal_who_signed_is_found_and_named_in_the_register(installed):
    recorded = record(installed, use_of(installed))
    found = approver_finding(recorded)
    assert (found["passed"], found["source"]) == (True, "[000 二(二)]")
    with installed.shop.database.read() as connection:
        (line,) = lines(connection, installed.shop, Period(organs=None))
        kept = installed.shop.book.entry(connection, recorded.entry).value("paper")
    assert line.approver == "示例兴国县负责人"
    assert kept["findings"] == [found]
    assert not [each for each in audit(installed.shop, installed.clock()) if each.severity == "broken"]


@pytest.mark.parametrize("who", ["user", "elsewhere", "nobody", "unknown"])
def test_another_approver_is_recorded_and_found_not_to_be_one(installed, who):
    staff = installed.world.staff
    approver = {
        "user": staff[COUNTY].user,
        "elsewhere": staff[TOWN].principal,
        "nobody": None,
        "unknown": "per-" + "a" * 26,
    }[who]
    recorded = record(installed, use_of(installed, approver=approver))
    found = approver_finding(recorded)
    assert found["passed"] is False
    assert "不是" in str(found["zh"])
    assert "was not" in str(found["en"])
    with installed.shop.database.read() as connection:
        (line,) = lines(connection, installed.shop, Period(organs=None))
        persons = installed.shop.book.entry(connection, recorded.entry).value("persons")
    assert persons["principal"] == approver
    assert line.approver == ""  # no name of a person who had no say in it


def test_before_the_principal_took_office(installed):
    earlier = installed.world.now - timedelta(days=60)
    assert approver_finding(record(installed, use_of(installed, used_at=earlier)))["passed"] is False


def test_under_county_and_township_rules_the_other_clause_binds(installed):
    order, principal = installed.world.order("town"), installed.world.staff[TOWN].principal
    found = approver_finding(record(installed, use_of(installed, order=order, approver=principal)))
    assert (found["passed"], found["source"]) == (True, "[002 附件3 二.2]")


def test_a_caller_for_others_writes_nothing(installed):
    before = installed.kinds()
    other = installed.world.clients["other"]
    with pytest.raises(NotAllowedError) as raised:
        record(installed, use_of(installed), other)
    assert raised.value.code == "not-your-organ"
    assert installed.kinds() == before


@pytest.mark.parametrize("seal", ["town", None])
def test_a_seal_that_was_not_lent_to_the_organ_is_not_there(installed, seal):
    """A client for several organs included: each register tells of its own seals."""
    before = installed.kinds()
    wanted = installed.world.seals[seal] if seal else "sea-" + "a" * 26
    order = installed.world.order("city", seal=wanted)
    with pytest.raises(OrderError) as raised:
        record(installed, use_of(installed, order=order))
    assert raised.value.code == "seal-not-lent-to-organ"
    assert installed.kinds() == before


def test_a_foreign_order_for_ones_own_organ(installed):
    """The stranger names its own organ with the county's seal."""
    world = installed.world
    order = world.order("city", organ=world.codes["other"])
    with pytest.raises(OrderError) as raised:
        record(installed, use_of(installed, order=order), world.clients["other"])
    assert raised.value.code == "seal-not-lent-to-organ"
