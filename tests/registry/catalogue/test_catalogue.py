"""Rows in force, pilot regions, what the rules learn, and how a list is replaced."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from policies.facts import ConditionFacts, ItemFacts, ItemKey, SetupFacts
from registry.catalogue import (
    Change,
    item_facts,
    item_in_force,
    load_shipped,
    open_regions,
    setup_in_force,
    supersede,
    supersede_setup,
)
from registry.catalogue_rows import CatalogueItem, CatalogueRow, PilotRegion, SetupRow, overlapping
from registry.china_time import BEIJING, read_moment, write_moment
from registry.conditions import ConditionField
from registry.errors import ConflictError

MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
TIMBER = ItemKey(list="002-2", number=12)
GAS_CHANGE = ItemKey(list="001-2", number=28)
Make = Callable[..., CatalogueItem]
MakeSetup = Callable[..., SetupRow]
MakePilot = Callable[..., PilotRegion]


# --- rows


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": 0}, "greater than or equal to 1"),
        ({"number": 10_000}, "less than or equal to 9999"),
        ({"number": True}, "valid integer"),
        ({"list": "清单"}, "match pattern"),
        ({"main_name": ""}, "at least 1 character"),
        ({"main_name": "特种 \u202e设备"}, "U+202E"),
        ({"mode": "telephone"}, "Input should be"),
        ({"document_kinds": ()}, "at least 1 item"),
        ({"document_kinds": ("decision", "decision"), "licence_kinds": ()}, "named twice: decision"),
        ({"licence_kinds": ("filing",)}, "not a document kind: filing"),
        ({"bases": ()}, "at least 1 item"),
        ({"bases": ("new", "new")}, "named twice: new"),
        ({"aliases": ("甲", "甲")}, "named twice: 甲"),
        ({"aliases": ("甲;乙",)}, "match pattern"),
        ({"supervising_organs": ("县民政局;县医保局",)}, "match pattern"),
        ({"regions": ("36073",)}, "match pattern"),
        ({"condition": 'colour == "red"'}, "the condition declares no field"),
        ({"valid_until": START - MOMENT}, "the row ends before it begins"),
        ({"valid_from": START.astimezone(BEIJING)}, "expected a time in UTC"),
        ({"surprise": "x"}, "Extra inputs"),
        ({"id": "itm-" + "a" * 26}, "the id is itm-aaaa"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(an_item: Make, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        an_item(**changes)
    assert said in str(caught.value)


def test_fields_without_a_condition_are_refused(an_item: Make) -> None:
    field = ConditionField(name="volume_m3", type="decimal", unit="m³", label="采伐蓄积")
    with pytest.raises(ValidationError, match="fields are declared but there is no condition"):
        an_item(condition_fields=(field,))


def test_a_condition_is_checked_when_the_row_is_made(an_item: Make) -> None:
    field = ConditionField(name="volume_m3", type="decimal", unit="m³", label="采伐蓄积")
    with pytest.raises(ValidationError, match=r"1:11: a decimal field is compared with decimal"):
        an_item(condition_fields=(field,), condition="volume_m3 >= 15")


def test_rows_do_not_change(an_item: Make) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        an_item().number = 8


@pytest.mark.parametrize("row", load_shipped().items[::9] + load_shipped().setup[::7], ids=lambda row: row.id)
def test_a_row_survives_json(row: CatalogueRow) -> None:
    assert type(row).model_validate_json(row.model_dump_json()) == row


def test_json_is_restricted(an_item: Make, a_pilot: MakePilot) -> None:
    def check(value: object) -> None:
        assert value is None or isinstance(value, str | bool | int | list | dict)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(each)

    for row in (*load_shipped().items, *load_shipped().setup, a_pilot()):
        check(row.model_dump(mode="json"))
    assert an_item().model_dump(mode="json")["valid_from"] == "2024-01-01T00:00:00.000000Z"


def test_the_id_follows_from_subject_and_beginning(an_item: Make, a_setup_row: MakeSetup) -> None:
    same = an_item(main_name="别的名称")
    assert same.id == an_item().id
    others = [an_item(number=8), an_item(list="009-2"), an_item(valid_from=START + MOMENT), a_setup_row()]
    assert len({same.id, *(row.id for row in others)}) == 5
    assert len({row.id for row in (*load_shipped().items, *load_shipped().setup)}) == 144 + 43


def test_the_name_is_the_sub_item_where_there_is_one(an_item: Make) -> None:
    assert an_item().name == "测试事项核发"
    assert an_item(sub_name="测试事项变更").name == "测试事项变更"


@pytest.mark.parametrize(
    "pattern",
    ["赣州市XX局行政审批专用章（11）", "赣州市XX局行政审批专用章(12)", "赣州市行政审批专用章（12）"],
)
def test_a_name_pattern_carries_its_number(a_setup_row: MakeSetup, pattern: str) -> None:
    with pytest.raises(ValidationError, match="the name pattern should hold"):
        a_setup_row(name_pattern=pattern)


# --- in force


def test_the_first_moment_is_in_force_and_the_last_is_not(an_item: Make) -> None:
    row = an_item(valid_until=START + DAY)
    key = row.key
    assert item_in_force([row], key, START - MOMENT) is None
    assert item_in_force([row], key, START) == row
    assert item_in_force([row], key, START + DAY - MOMENT) == row
    assert item_in_force([row], key, START + DAY) is None


def test_items_are_told_apart_by_list_and_number_not_by_name() -> None:
    now = read_moment("2024-06-01")
    change = item_in_force(load_shipped().items, GAS_CHANGE, now)
    new = item_in_force(load_shipped().items, ItemKey(list="001-3", number=38), now)
    assert change is not None
    assert new is not None
    assert (change.main_name, change.mode) == (new.main_name, "substantive_review")
    assert new.mode == "window_forward"
    assert item_in_force(load_shipped().items, ItemKey(list="001-2", number=46), now) is None


def test_lists_begin_on_their_beijing_day() -> None:
    begins = datetime(2023, 11, 29, 16, tzinfo=UTC)
    assert item_in_force(load_shipped().items, TIMBER, begins - MOMENT) is None
    assert item_in_force(load_shipped().items, TIMBER, begins) is not None


def test_two_rows_in_force_are_an_error(an_item: Make, now: datetime) -> None:
    rows = [an_item(), an_item(valid_from=START + DAY)]
    with pytest.raises(ConflictError) as caught:
        item_in_force(rows, rows[0].key, now)
    assert caught.value.code == "catalogue-ambiguous"
    assert "009-1 7" in caught.value.en


def test_setup_in_force_by_regime_and_region(a_setup_row: MakeSetup, now: datetime) -> None:
    found = setup_in_force(load_shipped().setup, "city_county", "360732", now)
    assert found is not None
    assert found.facts() == SetupFacts(regime="city_county", region="360732", number=12)
    assert setup_in_force(load_shipped().setup, "county_township", "360732", now) is None
    with pytest.raises(ConflictError):
        setup_in_force([a_setup_row(), a_setup_row(valid_from=START + DAY)], "city_county", "360732", now)


# --- pilots and facts


def pilot_item(an_item: Make, **changes: object) -> CatalogueItem:
    return an_item(pilot_until=START + 100 * DAY, **changes)


def test_without_registered_pilots_nobody_is_open_in_the_pilot_phase(an_item: Make) -> None:
    assert open_regions(pilot_item(an_item), [], START) == ()


def test_pilot_regions_in_force_are_open(an_item: Make, a_pilot: MakePilot) -> None:
    pilots = [
        a_pilot(region="360732035"),
        a_pilot(region="360732011", valid_until=START + DAY),
        a_pilot(region="360732012", valid_from=START + 2 * DAY),
        a_pilot(region="360732013", number=8),
        a_pilot(region="360732014", list="009-2"),
    ]
    item = pilot_item(an_item)
    assert open_regions(item, pilots, START) == ("360732011", "360732035")
    assert open_regions(item, pilots, START + DAY) == ("360732035",)
    assert open_regions(item, pilots, START + 2 * DAY) == ("360732012", "360732035")


def test_the_pilot_phase_ends_for_all(an_item: Make) -> None:
    item = pilot_item(an_item)
    assert open_regions(item, [], START + 100 * DAY - MOMENT) == ()
    assert open_regions(item, [], START + 100 * DAY) is None


def test_a_pilot_opens_no_region_that_the_item_is_not_for(an_item: Make, a_pilot: MakePilot) -> None:
    item = pilot_item(an_item, regions=("360702",))
    assert open_regions(item, [a_pilot()], START) == ()
    assert open_regions(item, [a_pilot(region="360702")], START) == ("360702",)
    assert open_regions(item, [], START + 100 * DAY) == ("360702",)


def test_pilots_of_an_item_without_pilot_phase_mean_nothing(an_item: Make, a_pilot: MakePilot) -> None:
    assert open_regions(an_item(), [a_pilot()], START) is None


def test_timber_is_open_to_all_one_year_after_the_plan() -> None:
    year_end = read_moment("2024-11-30")
    row = item_in_force(load_shipped().items, TIMBER, year_end)
    assert row is not None
    assert open_regions(row, [], year_end - MOMENT) == ()
    assert open_regions(row, [], year_end) is None


def test_item_facts_hold_all_that_the_rules_ask() -> None:
    now = read_moment("2024-12-01")
    row = item_in_force(load_shipped().items, TIMBER, now)
    assert row is not None
    facts = item_facts(
        row,
        now=now,
        pilots=(),
        implementing_organ="11360732MB0000000X",
        declared={"volume_m3": "15", "land_kind": "自留山", "holder_kind": "农村居民"},
    )
    assert facts == ItemFacts(
        key=TIMBER,
        name="林木采伐许可证核发（农村居民自留山和个人承包集体林地）",
        aliases=("林木采伐许可证",),
        mode="no2_seal",
        document_kinds=("decision", "refusal", "notice", "licence"),
        licence_kinds=("licence",),
        implementing_organ="11360732MB0000000X",
        regions=None,
        condition=ConditionFacts(expression=str(row.condition), outcome=True, error=None),
        bases=None,
    )


def test_item_facts_without_condition_or_registered_organ(an_item: Make, now: datetime) -> None:
    facts = item_facts(an_item(), now=now, pilots=(), implementing_organ=None, declared={"x": 1})
    assert facts.condition is None
    assert facts.implementing_organ is None


# --- replacing a list


def applied(old: list[CatalogueItem], change: Change[CatalogueItem]) -> list[CatalogueItem]:
    """What the store holds afterwards: the last record of each id."""
    return list({row.id: row for row in (*old, *change.records)}.values())


def test_the_same_list_again_changes_nothing(an_item: Make, now: datetime) -> None:
    old = [an_item(), an_item(number=8)]
    assert supersede(old, old, now).records == ()
    assert supersede(load_shipped().items, load_shipped().items, now).records == ()


def test_a_changed_item_ends_and_begins_again_now(an_item: Make, now: datetime) -> None:
    old = [an_item(), an_item(number=8)]
    change = supersede(old, [an_item(mode="window_forward"), an_item(number=8)], now)
    assert change.closed == (an_item(valid_until=now),)
    assert change.opened == (an_item(mode="window_forward", valid_from=now),)
    after = applied(old, change)
    before_now, at_now = item_in_force(after, old[0].key, now - MOMENT), item_in_force(after, old[0].key, now)
    assert before_now is not None
    assert at_now is not None
    assert (before_now.mode, at_now.mode) == ("substantive_review", "window_forward")
    assert not overlapping(after)


def test_a_later_beginning_closes_the_old_row_then(an_item: Make, now: datetime) -> None:
    old = [an_item()]
    change = supersede(old, [an_item(mode="direct", valid_from=now + DAY)], now)
    after = applied(old, change)
    assert [item_in_force(after, old[0].key, now + shift).mode for shift in (MOMENT, DAY - MOMENT)] == [
        "substantive_review"
    ] * 2
    assert item_in_force(after, old[0].key, now + DAY).mode == "direct"


def test_an_item_no_longer_listed_ends(an_item: Make, now: datetime) -> None:
    old = [an_item(), an_item(number=8)]
    change = supersede(old, [an_item()], now)
    assert change.closed == (an_item(number=8, valid_until=now),)
    assert change.opened == ()


def test_a_new_item_begins_now_even_if_dated_back(an_item: Make, now: datetime) -> None:
    change = supersede([], [an_item()], now)
    assert change.opened == (an_item(valid_from=now),)


def test_lists_that_are_not_given_are_not_touched(an_item: Make, now: datetime) -> None:
    old = [an_item(), an_item(list="009-2")]
    assert supersede(old, [an_item(list="009-2")], now).records == ()
    assert supersede(old, [], now).records == ()


def test_rows_that_have_ended_are_history(an_item: Make, now: datetime) -> None:
    past = an_item(valid_until=START + DAY)
    current = an_item(valid_from=START + DAY, mode="direct")
    assert supersede([past, current], [past, current], now).records == ()
    assert supersede([past, current], [current], now).records == ()
    assert supersede([current], [past, current], now).records == ()


def test_a_scheduled_row_is_withdrawn_before_it_begins(an_item: Make, now: datetime) -> None:
    running = an_item(valid_until=now + DAY)
    scheduled = an_item(valid_from=now + DAY, mode="direct")
    change = supersede([running, scheduled], [an_item()], now)
    after = applied([running, scheduled], change)
    assert item_in_force(after, running.key, now + 2 * DAY).mode == "substantive_review"
    assert change.closed == (
        running.model_copy(update={"valid_until": now}),
        scheduled.model_copy(update={"valid_until": now + DAY}),
    )
    assert supersede(after, [an_item()], now + MOMENT).records == ()


def test_a_scheduled_row_worded_anew_keeps_its_id(an_item: Make, now: datetime) -> None:
    running = an_item(valid_until=now + DAY)
    scheduled = an_item(valid_from=now + DAY, mode="direct")
    anew = an_item(valid_from=now + DAY, mode="window_forward")
    change = supersede([running, scheduled], [running, anew], now)
    assert change.records == (anew,)
    assert anew.id == scheduled.id


def test_a_row_that_ends_earlier_is_not_prolonged(an_item: Make, now: datetime) -> None:
    ending = an_item(valid_until=now + DAY)
    change = supersede([ending], [an_item(valid_from=now + 2 * DAY, mode="direct")], now)
    assert change.closed == ()
    assert ending.closed(now + 5 * DAY) == ending


def test_overlapping_new_rows_are_refused(an_item: Make, now: datetime) -> None:
    with pytest.raises(ConflictError) as caught:
        supersede([], [an_item(), an_item(valid_from=START + DAY)], now)
    assert caught.value.code == "catalogue-overlap"


def test_setup_tables_are_replaced_by_regime(a_setup_row: MakeSetup, now: datetime) -> None:
    county = a_setup_row()
    township = a_setup_row(regime="county_township", region="360732035")
    renumbered = a_setup_row(number=13, name_pattern="赣州市XX局行政审批专用章（13）")
    change = supersede_setup([county, township], [renumbered], now)
    assert [row.number for row in change.closed] == [12]
    assert [row.valid_from for row in change.opened] == [now]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-11-30", datetime(2023, 11, 29, 16, tzinfo=UTC)),
        ("2023-11-30T00:00:00+08:00", datetime(2023, 11, 29, 16, tzinfo=UTC)),
        ("2023-11-29T16:00:00.000001Z", datetime(2023, 11, 29, 16, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_moments_are_read_and_written(text: str, moment: datetime) -> None:
    assert read_moment(text) == moment
    assert read_moment(write_moment(moment)) == moment


@pytest.mark.parametrize("text", ["2023-11-31", "2023-11-30T00:00:00", "2023年11月30日", "30/11/2023", ""])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the messages are partly the standard library's
        read_moment(text)
