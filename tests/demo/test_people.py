"""Invented codes are right in form, and the terms are what the registry asks for."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.people import CITY, OFFICES, Grant, grants, identity_number, organ_code
from demo.statements import terms_digest
from registry.agreement_terms import read_terms
from registry.agreement_terms import terms_digest as digest_of_record
from registry.catalogue import load_shipped
from registry.natural_person import natural_person
from registry.organ_code import check_organ_code

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_codes_are_well_formed_distinct_and_marked_as_invented() -> None:
    codes = [office.code for office in OFFICES]
    assert [check_organ_code(code) for code in codes] == codes
    assert len(set(codes)) == len(codes)
    assert all("DEM" in code for code in codes)


def test_another_number_is_another_code() -> None:
    assert organ_code("360700", 1) != organ_code("360700", 2)
    assert organ_code("360732035", 4)[2:8] == "360732"


def test_identity_numbers_are_well_formed_and_distinct() -> None:
    numbers = [identity_number(each) for each in range(110)]
    assert len({natural_person(each, b"s" * 32) for each in numbers}) == len(numbers)
    assert all(each[6:10] == "1900" for each in numbers)


def test_townships_are_where_the_setup_table_has_them() -> None:
    rows = {row.region: row.region_name for row in load_shipped().setup}
    for office in OFFICES:
        if office.level == "township":
            assert rows[office.region] in office.name


@pytest.mark.parametrize("grant", grants(2026), ids=lambda grant: grant.name)
def test_terms_have_every_part_and_one_digest_on_both_sides(grant: Grant) -> None:
    terms = grant.terms(NOW)
    read = read_terms(terms)
    assert digest_of_record(read) == terms_digest(terms)
    assert read.regime == ("city_county" if grant.grantor is CITY else "county_township")
    assert read.relation == ("authorisation" if grant.grantor is CITY else "entrustment")


def test_only_the_fourth_agreement_soon_ends() -> None:
    ends = {each.name: read_terms(each.terms(NOW)).period.valid_until - NOW for each in grants(2026)}
    assert ends.pop("short") < timedelta(minutes=1)
    assert set(ends) == {"city", "town", "forest"}
    assert min(ends.values()) > timedelta(days=365)
