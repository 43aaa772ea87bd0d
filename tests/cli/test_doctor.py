"""The doctor on real installations: quiet on a sound one, and naming what was made wrong."""

from datetime import timedelta

from world import START

from sealing import clock


def states(found) -> dict[str, str]:
    worst = {"ok": 0, "warning": 1, "failed": 2}
    told: dict[str, str] = {}
    for each in found["checks"]:
        if worst[each["state"]] >= worst[told.get(each["check"], "ok")]:
            told[each["check"]] = each["state"]
    return told


def test_a_sound_installation_has_no_failed_check(desk):
    found = states(desk.json("doctor"))
    assert "failed" not in found.values()
    assert {"disk", "clock", "keystore", "database", "checkpoint", "certificates", "attempts"} <= found.keys()


def test_a_secret_that_others_can_read_fails(desk):
    (desk.data / "secret" / "natural-person-key").chmod(0o600)
    (desk.data / "secret").chmod(0o755)
    ran = desk.run("doctor", "--json")
    assert ran.code == 3
    assert states(ran.json)["permissions"] == "failed"


def test_a_certificate_about_to_expire_is_named(desk, monkeypatch):
    monkeypatch.setattr(clock, "utc_now", lambda: START + timedelta(days=365 * 10 - 10))
    assert states(desk.run("doctor", "--json").json)["certificates"] in {"warning", "failed"}
