"""Revocation lists: what is held or revoked, signed by whom it should be, numbers that only rise, kept meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from authority.revocation import read_crl
from registry.errors import RowTamperedError
from registry.records import SealKey
from registry.seal_keys import suspend
from registry.tables import TABLES
from sealing import revocation
from sealing.administration import seals
from sealing.workshop import Workshop, open_workshop


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(revocation, "_kept", {})


def issuer_list(office, now=None):
    return read_crl(revocation.crl(office.shop, now or office.now), office.shop.installation.issuer_certificate)


def serial_of(office, name: str) -> int:
    (key,) = office.find(SealKey, seal=office.world.seals[name], current=True)
    return int(key.serial, 16)


def test_nothing_is_revoked_at_first(office):
    found = issuer_list(office)
    assert dict(found.revoked) == {}
    assert found.next_update - found.this_update <= timedelta(hours=24)


def test_hold_release_and_cancellation_are_told(office):
    seal, serial = office.world.seals["town"], serial_of(office, "town")
    told = []
    for change in ("suspend", "resume", "cancel"):
        if change == "cancel":
            office.cancel("town")
        else:
            seals.change_state(office.shop, seal, change, office.act())
        found = issuer_list(office)
        told.append(found.revoked[serial].reason if serial in found.revoked else None)
    assert told == ["certificate_hold", None, "cessation_of_operation"]


def test_the_number_rises_with_each_list(office):
    numbers = [issuer_list(office).number]
    for change in ("suspend", "resume"):
        seals.change_state(office.shop, office.world.seals["town"], change, office.act())
        numbers.append(issuer_list(office).number)
    numbers.append(issuer_list(office, office.now + timedelta(hours=13)).number)
    assert numbers == sorted(set(numbers))


def uses(shop: Workshop) -> int:
    return shop.keystore.uses(shop.installation.issuer_key)


def test_a_list_is_kept_until_a_key_changes_or_half_its_time_passed(office):
    first = revocation.crl(office.shop, office.now)
    before = uses(office.shop)
    assert revocation.crl(office.shop, office.now + timedelta(hours=11)) == first
    assert uses(office.shop) == before
    assert revocation.crl(office.shop, office.now + timedelta(hours=12)) != first
    seals.change_state(office.shop, office.world.seals["town"], "suspend", office.act())
    later = revocation.crl(office.shop, office.now + timedelta(hours=12))
    assert uses(office.shop) == before + 2
    assert read_crl(later, office.shop.installation.issuer_certificate).revoked


def test_a_list_from_a_later_clock_is_not_served_to_an_earlier_one(office):
    late = revocation.crl(office.shop, office.now + timedelta(hours=2))
    assert revocation.crl(office.shop, office.now) != late


def test_a_key_revoked_a_moment_after_the_clock_was_read_still_makes_a_list(office):
    now = office.now
    seals.change_state(office.shop, office.world.seals["town"], "suspend", office.act())
    found = issuer_list(office, now)
    assert serial_of(office, "town") in found.revoked


def test_an_outside_certificate_is_not_on_our_list(office):
    act = office.act()
    (found,) = (each for each in _stored(office) if each.record.seal == office.world.seals["town"])
    held = suspend(found.record, role="administrator", now=act.now)
    licensed = SealKey.model_validate({**dict(held), "issuer": "licensed"})
    with office.shop.database.write() as connection:
        office.shop.registry.put(connection, licensed, by=act.by, why=act.why, now=act.now, replaces=found)
    assert dict(issuer_list(office).revoked) == {}


def _stored(office):
    with office.shop.database.read() as connection:
        return office.shop.registry.find(connection, SealKey)


def test_a_key_that_was_deleted_by_hand_is_missed(office):
    office.cancel("town")
    table = TABLES[SealKey]
    with office.shop.database.write() as connection:
        connection.execute(delete(table).where(table.c.seal == office.world.seals["town"]))
    with pytest.raises(RowTamperedError) as caught:
        revocation.crl(office.shop, office.now)
    assert caught.value.code == "seal-keys-missing"


def test_a_revocation_undone_by_hand_is_refused(office):
    office.cancel("town")
    table = TABLES[SealKey]
    with office.shop.database.write() as connection:
        body = office.find(SealKey, seal=office.world.seals["town"])[0]
        undone = SealKey.model_validate({**dict(body), "revoked_at": None, "revoked_reason": None})
        connection.execute(table.update().where(table.c.id == body.id).values(body=undone.model_dump_json()))
    with open_workshop(office.shop.settings) as again, pytest.raises(RowTamperedError):
        revocation.crl(again, office.now)


def test_the_root_says_that_its_issuer_stands(office):
    der = revocation.root_crl(office.shop, office.now)
    found = read_crl(der, office.shop.installation.root_certificate)
    assert dict(found.revoked) == {}
    assert revocation.root_crl(office.shop, office.now + timedelta(hours=1)) == der
    assert revocation.root_crl(office.shop, office.now + timedelta(hours=12)) != der


def test_two_databases_in_one_process_do_not_share_lists(office):
    revocation.crl(office.shop, office.now)
    with office.shop.database.read() as connection:
        state = revocation.key_state(connection)
    settings = office.shop.settings.model_copy(update={"database_url": "sqlite:///elsewhere.db"})
    elsewhere = replace(office.shop, settings=settings)
    assert revocation._fresh(office.shop, "issuer", state, office.now) is not None
    assert revocation._fresh(elsewhere, "issuer", state, office.now) is None
