"""The catalogue: publish what is shipped, import whole lists or nothing, export, pilots, working days."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from world import build_world

from ledger.ids import new_id
from policies.facts import ItemKey
from registry.calendar import calendar_day_id
from registry.catalogue import item_in_force, load_shipped
from registry.errors import ConflictError, NotFoundError, RecordInvalidError, TransitionError
from registry.exchange import ITEMS, SETUP, export_csv, export_xlsx
from registry.records import CalendarDay, CatalogueItem, PilotRegion, SetupRow
from registry.sheets import SheetUnreadableError
from sealing.administration import catalogue
from sealing.administration.catalogue import DayRequest, PilotRequest
from sealing.errors import OrderError
from sealing.workshop import open_workshop


def county_items() -> list[CatalogueItem]:
    return [row for row in load_shipped().items if row.list == "002-2"]


def sheet(office, rows, table=ITEMS, name="items.csv"):
    path = office.folder / name
    path.write_bytes(export_csv(rows, table) if name.endswith("csv") else export_xlsx(rows, table, office.now))
    return path


def bring(office, path, *, dry_run=False, table="items"):
    format_ = "csv" if path.name.endswith("csv") else "xlsx"
    act = office.act("试查") if dry_run else office.approved("change_catalogue", change="import", table=table)
    return catalogue.import_sheet(office.shop, path, act, table=table, format_=format_, dry_run=dry_run)


def test_publishing_puts_every_shipped_row_once(tmp_path):
    settings, plan = build_world(tmp_path / "data")
    shipped = load_shipped()
    with open_workshop(settings) as shop:
        from world import OPERATOR

        from registry.store import Act

        act = Act(by=OPERATOR, why="发布", now=plan.now)
        assert catalogue.publish_shipped(shop, act) == len(shipped.items) + len(shipped.setup)
        assert catalogue.publish_shipped(shop, act) == 0
        with shop.database.read() as connection:
            assert len(shop.registry.find(connection, CatalogueItem)) == 20 + 45 + 53 + 26
            assert len(shop.registry.find(connection, SetupRow)) == 18 + 25


@pytest.mark.parametrize("name", ["items.csv", "items.xlsx"])
def test_the_same_list_again_changes_nothing(office, name):
    before = office.kinds()
    done = bring(office, sheet(office, county_items(), name=name))
    assert (done.rows, done.opened, done.closed, done.bad, done.done) == (26, 0, 0, (), True)
    assert office.kinds() == before


@pytest.mark.parametrize("name", ["items.csv", "items.xlsx"])
def test_a_changed_item_ends_and_begins_again_and_a_dropped_one_ends(office, name):
    first, second, *rest = county_items()
    renamed = replace_item(first, main_name="改名后的事项", sub_name=None)
    path = sheet(office, [renamed, *rest], name=name)
    planned = bring(office, path, dry_run=True)
    assert (planned.opened, planned.closed, planned.done) == (1, 2, False)
    assert "catalogue_item.closed" not in office.kinds()
    done = bring(office, path)
    assert (done.opened, done.closed, done.done) == (1, 2, True)
    rows = office.find(CatalogueItem, list="002-2")
    now, then = office.now + timedelta(seconds=1), office.world.now
    assert item_in_force(rows, first.key, now).name == "改名后的事项"
    assert item_in_force(rows, first.key, then).name == first.name
    assert item_in_force(rows, second.key, now) is None
    assert item_in_force(rows, second.key, then) is not None


def replace_item(item: CatalogueItem, **changed) -> CatalogueItem:
    return CatalogueItem.model_validate({**dict(item), **changed})


def test_other_lists_are_left_alone(office):
    city = {row.id for row in office.find(CatalogueItem) if row.list != "002-2"}
    bring(office, sheet(office, county_items()[:1]))
    still = {row.id for row in office.find(CatalogueItem) if row.list != "002-2" and row.valid_until is None}
    assert still == {row.id for row in load_shipped().items if row.id in city and row.valid_until is None}


def test_one_bad_cell_takes_nothing_and_names_the_cell(office):
    path = sheet(office, county_items())
    path.write_bytes(path.read_bytes().replace(b"no2_seal", b"no3_seal", 1))
    before = office.kinds()
    done = bring(office, path)
    assert [(cell.column, cell.found) for cell in done.bad] == [("mode", "no3_seal")]
    assert not done.done
    assert office.kinds() == before


def test_a_wrong_column_is_named(office):
    path = sheet(office, county_items())
    path.write_bytes(path.read_bytes().replace(b"power_type", b"power_kind", 1))
    assert {cell.column for cell in bring(office, path).bad} == {"power_kind", "power_type"}


def test_what_is_no_spreadsheet_is_refused_in_the_worker(office):
    path = office.folder / "bomb.xlsx"
    path.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(SheetUnreadableError):
        bring(office, path)


def test_a_setup_table_is_replaced_by_regime(office):
    rows = [row for row in load_shipped().setup if row.regime == "county_township"]
    moved = SetupRow.model_validate({**dict(rows[0]), "number": 99, "name_pattern": "兴国县XX局行政审批专用章（99）"})
    done = bring(office, sheet(office, [moved, *rows[1:]], SETUP), table="setup")
    assert (done.opened, done.closed) == (1, 1)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_an_export_reads_back_unchanged(office, format_):
    data = catalogue.export(office.shop, office.now, table="items", format_=format_)
    path = office.folder / f"out.{format_}"
    path.write_bytes(data)
    done = bring(office, path)
    assert (done.rows, done.opened, done.closed, done.bad) == (20 + 45 + 53 + 26, 0, 0, ())


def pilot(office, **changed) -> PilotRequest:
    values = {
        "list": "002-2",
        "number": 12,
        "region": "360732101",
        "valid_from": office.now,
        "valid_until": None,
        "source": "兴府办字〔2026〕1号",
    }
    return PilotRequest(**{**values, **changed})


def add_pilot(office, request: PilotRequest) -> PilotRegion:
    act = office.approved("change_catalogue", change="add_pilot", region=request.region)
    return catalogue.add_pilot(office.shop, request, act).record


def end_pilot(office, pilot_id: str) -> PilotRegion:
    act = office.approved("change_catalogue", change="end_pilot", pilot=pilot_id)
    return catalogue.end_pilot(office.shop, pilot_id, act).record


def set_days(office, *days: DayRequest) -> None:
    catalogue.set_days(office.shop, days, office.approved("change_catalogue", change="set_days"))


def test_one_person_changes_nothing(office):
    path, before = sheet(office, county_items()[:1]), office.kinds()
    for attempt in (
        lambda act: catalogue.import_sheet(office.shop, path, act, table="items", format_="csv", dry_run=False),
        lambda act: catalogue.add_pilot(office.shop, pilot(office), act),
        lambda act: catalogue.end_pilot(office.shop, new_id("plt"), act),
        lambda act: catalogue.set_days(office.shop, [], act),
    ):
        with pytest.raises(TransitionError) as caught:
            attempt(office.act())
        assert caught.value.code == "two-persons-needed"
    assert office.kinds() == before


def test_a_pilot_region_holds_until_it_is_ended(office):
    stored = add_pilot(office, pilot(office))
    assert office.find(PilotRegion, list="002-2") == [stored]
    end_pilot(office, stored.id)
    assert not office.get(PilotRegion, stored.id).in_force(office.now)
    with pytest.raises(TransitionError):
        end_pilot(office, stored.id)


def test_a_pilot_region_cannot_be_registered_twice_for_one_time(office):
    add_pilot(office, pilot(office))
    with pytest.raises(ConflictError):
        add_pilot(office, pilot(office, valid_from=office.now + timedelta(days=1)))


def test_a_pilot_of_no_item_and_a_region_of_no_form_are_refused(office):
    with pytest.raises(OrderError) as caught:
        add_pilot(office, pilot(office, number=999))
    assert caught.value.code == "item-unknown"
    with pytest.raises(RecordInvalidError):
        add_pilot(office, pilot(office, region="潋江镇"))
    with pytest.raises(NotFoundError):
        end_pilot(office, new_id("plt"))


def test_pilots_are_imported_beside_those_there_are(office):
    first = add_pilot(office, pilot(office))
    path = office.folder / "pilots.csv"
    path.write_bytes(
        catalogue.export(office.shop, office.now, table="pilots", format_="csv").replace(b"360732101", b"360732102")
    )
    assert bring(office, path, table="pilots").opened == 1
    assert bring(office, path, table="pilots").opened == 0
    assert {row.region for row in office.find(PilotRegion)} == {"360732101", "360732102"}
    assert office.get(PilotRegion, first.id) == first


def test_days_are_set_and_set_again(office):
    day = date(2027, 5, 4)
    holiday = DayRequest(date=day, kind="holiday", source="国办发明电〔2026〕1号")
    set_days(office, holiday)
    set_days(office, replace(holiday, kind="workday"))
    assert office.get(CalendarDay, calendar_day_id(day)).kind == "workday"
    assert office.newest()[0] == "calendar_day.changed"
    with pytest.raises(RecordInvalidError):
        set_days(office, replace(holiday, kind="feast"))


def test_an_item_is_known_by_list_and_number(office):
    key = ItemKey(list="002-2", number=14)
    assert item_in_force(office.find(CatalogueItem, list=key.list, number=key.number), key, office.now) is not None
