"""The register as people search it: their own organs' lines only, newest first, by day, item, result and number."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from world import CITY, COUNTY, OTHER, TOWN

from registry.china_time import BEIJING
from sealing.register_print import printed
from sealing.usage_search import Wanted, search


def used(installed):
    """Three uses of the city's seal in the county, one refusal of the county's seal in the town; the orders."""
    world = installed.world
    orders = []
    for _ in range(3):
        order = world.order("city")
        document = world.document("city", order, installed.folder)
        submission = world.submit(order, document, world.approve("city", order, document))
        assert installed.sealer().seal(submission, installed.caller).state == "sealed"
        orders.append(order)
    refused = world.order("town")
    submission = world.submit(refused, world.document("town", refused, installed.folder), None)
    assert installed.sealer().seal(submission, installed.caller).state == "refused"
    return [*orders, refused]


@pytest.fixture
def look(installed):
    orders = used(installed)

    def found(*organs, **wanted):
        codes = [installed.world.codes[each] for each in organs]
        before, most = wanted.pop("before", None), wanted.pop("most", 50)
        with installed.shop.database.read() as connection:
            asked = Wanted(organs=codes, **wanted)
            return search(connection, installed.shop, asked, before=before, most=most)

    return orders, found


def test_each_side_sees_its_lines_and_a_stranger_none(look):
    orders, found = look
    cases = [each.case_number for each in orders]
    assert [each.case_number for each in found(CITY)] == cases[2::-1]
    assert [each.case_number for each in found(COUNTY)] == cases[::-1], "as grantee of one, grantor of the other"
    assert [each.case_number for each in found(TOWN)] == cases[3:]
    assert found(OTHER) == found() == []


def test_lines_are_found_by_result_item_number_and_day(look, installed):
    orders, found = look
    assert [each.outcome for each in found(COUNTY, kind="seal.refused")] == ["拒绝"]
    assert found(COUNTY, kind="seal.refused")[0].refused_by
    assert len(found(COUNTY, item="001-2 30")) == 3
    second = orders[1]
    for number in (second.case_number, second.case_number[:-1], str(second.document_number)):
        assert second.case_number in {each.case_number for each in found(CITY, number=number)}
    assert found(CITY, number="100%_") == []
    today = installed.clock().astimezone(BEIJING).date()
    assert len(found(CITY, since=today, until=today)) == 3
    assert found(CITY, since=today + timedelta(days=1)) == found(CITY, until=today - timedelta(days=1)) == []


def test_pages_follow_each_other_without_gap(look):
    _, found = look
    every = found(COUNTY)
    first = found(COUNTY, most=3)
    assert [*first, *found(COUNTY, before=first[-1].entry, most=3)] == every


def test_the_print_has_each_line_and_is_an_archive_file(look, installed):
    orders, found = look
    lines = found(COUNTY)
    odd = replace(lines[0], item="#panic() 12 <b>")
    made = printed([*lines, odd], chosen="全部", person="示例", now=installed.clock())
    with pikepdf.open(BytesIO(made)) as pdf, pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "B")
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(made))
    plain = "".join(text.split())
    for order in orders[:3]:
        assert "".join(str(order.document_number).split()) in plain
    assert "#panic()12<b>" in plain
