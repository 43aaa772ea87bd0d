"""The doctor on real installations: quiet on a sound one, and naming what was made wrong."""

from datetime import UTC, datetime, timedelta

from world import COUNTY, START

from sealing import clock
from tests.cli.conftest import run


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


def test_a_proposal_past_its_time_is_named(desk, monkeypatch):
    desk.json("grant", "renew-key", desk.world.seals["town"], *desk.signer(COUNTY, 0), "--why", "换钥")
    assert states(desk.json("doctor"))["proposals"] == "ok"
    now = clock.utc_now
    monkeypatch.setattr(clock, "utc_now", lambda: now() + timedelta(hours=25))
    found = desk.run("doctor", "--json").json
    assert states(found)["proposals"] == "warning"
    assert [each["do"]["en"] for each in found["checks"] if each["check"] == "proposals"] == ["run yinxin recover"]


def test_a_year_without_its_notice_is_named(desk, monkeypatch):
    monkeypatch.setattr(clock, "utc_now", lambda: datetime(2090, 5, 1, tzinfo=UTC))
    assert states(desk.run("doctor", "--json").json)["calendar"] == "warning"


def test_a_database_that_is_broken_fails(desk):
    with desk.open() as shop:
        path = shop.settings.data / "yinxin.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)
    assert desk.run("doctor", "--json").code == 3


def test_a_full_disk_is_named(desk, monkeypatch):
    monkeypatch.setattr("sealing.doctor.LEAST_DISK", 10**18)
    assert states(desk.json("doctor"))["disk"] == "warning"


def test_an_installation_that_does_not_open_is_told_with_what_can_be_looked_at(desk):
    desk.run("checkpoint")
    path = desk.data / "last-checkpoint"
    origin, size, rest = path.read_text().split("\n", 2)
    path.write_text(f"{origin}\n{int(size) + 1}\n{rest}")
    ran = desk.run("doctor", "--json")
    assert ran.code == 3
    found = states(ran.json)
    assert (found["installation"], found["disk"]) == ("failed", "ok")


def test_no_folder_is_no_installation(tmp_path):
    ran = run("doctor", "--data", tmp_path / "none", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (3, "data-missing")
