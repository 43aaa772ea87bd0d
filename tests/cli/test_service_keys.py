"""A service key that is suspect is revoked by one command; so is a seal's, which is suspended with it."""

from world import START

from authority.revocation import read_crl
from registry.records import ServiceKey
from sealing import revocation

WHY = ("--why", "疑似失密")


def revoked(desk, serial: str):
    with desk.open() as shop:
        issuer = shop.installation.issuer_certificate
        return read_crl(revocation.crl(shop, START), issuer).revoked.get(int(serial, 16))


def test_a_suspect_service_key_is_revoked_once_and_told_by_the_list(desk):
    with desk.open() as shop, shop.database.read() as connection:
        (key,) = shop.registry.find(connection, ServiceKey, purpose="ocsp", current=True)
    assert key.record.serial in desk.run("service-key", "list").out
    stored = desk.json("service-key", "revoke", key.record.serial, *WHY)
    assert stored["revoked_reason"] == "key_compromise"
    assert revoked(desk, key.record.serial).reason == "key_compromise"
    assert desk.error("service-key", "revoke", key.record.serial, *WHY) == (1, "revoked-already")
    assert desk.error("service-key", "revoke", "abc", *WHY) == (1, "record-not-found")


def test_a_suspect_seal_is_suspended_and_its_certificate_revoked(desk):
    seal = desk.world.seals["town"]
    assert desk.json("grant", "suspect", seal, *WHY)["state"] == "suspended"
    (certificate,) = desk.json("grant", "show", seal)["certificates"]
    assert certificate["revoked_reason"] == "key_compromise"
    assert revoked(desk, certificate["serial"]) is not None
    assert desk.error("grant", "resume", seal, *WHY) == (1, "seal-needs-new-key")
