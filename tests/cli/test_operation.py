"""Serve, audit, recover, checkpoint: what they say and how they end, in real processes where that is the point."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from world import START

from ledger.checkpoint import Checkpoint, sign_checkpoint
from sealing.settings import Settings
from sealing.workshop import initialise

ROOT = Path(__file__).parents[2]
WHY = ("--why", "测试")


def child(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_a_sound_installation_is_exit_0(desk):
    found = desk.json("audit")
    assert (found["sound"], found["findings"]) == (True, [])
    assert found["entries"] > 150
    assert desk.run("audit").out.startswith("✓")


def test_a_row_that_was_changed_is_named_and_exit_1(desk, shop):
    with shop.database.write() as connection:
        connection.execute(text("update registry_organ set body = replace(body, '赣州市', '吉安市')"))
    ran = desk.run("audit", "--json")
    assert ran.code == 1
    assert not ran.json["sound"]
    assert "registry_organ" in ran.json["findings"][0]["where"]
    shown = desk.run("audit")
    assert shown.code == 1
    assert "✗" in shown.out


def test_a_file_that_no_record_names_is_a_note(desk, shop):
    path = desk.write("stray.pdf", b"%PDF-1.7 stray")
    shop.documents.put(path)
    ran = desk.run("audit", "--json")
    assert ran.code == 0
    assert [each["severity"] for each in ran.json["findings"]] == ["orphan"]


def test_recover_with_nothing_to_do(desk):
    assert desk.json("recover") == {"abandoned": [], "suspended": [], "proposals": []}
    assert "0" in desk.run("recover").out


def test_a_checkpoint_is_consistent_with_an_older_one(desk, shop):
    note = desk.write("note", desk.run("checkpoint").out)
    desk.both("item", "set-day", "2027-05-04", "holiday", "--source", "通知")
    found = desk.json("checkpoint", "--since", note)
    assert found["consistent_with"] < found["size"]
    assert found["vkey"] == shop.identity.vkey
    assert desk.run("checkpoint", "--vkey").out.strip() == shop.identity.vkey


def test_a_checkpoint_that_the_ledger_does_not_extend_is_exit_1(desk, tmp_path):
    other = tmp_path / "other"
    settings = Settings(data=other)
    initialise(settings, START)
    note = desk.write("note", child("checkpoint", "--data", other).stdout)
    assert note.read_bytes()
    assert desk.error("checkpoint", "--since", note) == (1, "checkpoint-invalid")
    assert desk.error("checkpoint", "--since", desk.write("n", "no note")) == (1, "checkpoint-invalid")
    assert desk.error("checkpoint", "--since", desk.write("b", b"\xff\xfe")) == (2, "note-unreadable")


def test_a_ledger_that_is_shorter_than_an_older_checkpoint_is_exit_1(desk, shop):
    key = shop.keystore.open(shop.installation.log_key)
    ahead = Checkpoint(origin=shop.identity.origin, size=10_000, root=bytes(32))
    note = desk.write("note", sign_checkpoint(ahead, shop.identity, key))
    assert desk.error("checkpoint", "--since", note) == (1, "record-shorter")


def test_no_installation_is_exit_3_and_one_line(tmp_path):
    ran = child("audit", "--data", tmp_path / "nothing")
    assert ran.returncode == 3
    assert ran.stderr.startswith("not-initialised: ")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("YINXIN_PORT", "abc", "port"), ("YINXIN_PROT", "1", "YINXIN_PROT"), ("YINXIN_LOG_ORIGIN", "A B", "log_origin")],
)
def test_a_wrong_setting_is_exit_3_and_named(tmp_path, name, value, told):
    ran = child("audit", "--data", tmp_path, "--json", **{name: value})
    assert ran.returncode == 3
    error = json.loads(ran.stdout)["error"]
    assert error["code"] == "settings-invalid"
    assert told in error["en"]


def test_a_wrong_setting_never_repeats_a_password(tmp_path):
    ran = child("audit", "--data", tmp_path, YINXIN_DATABASE_URL="postgresql://u:hush@h/x", YINXIN_PORT="hush2")
    assert ran.returncode == 3
    assert "hush" not in ran.stdout + ran.stderr


def test_a_missing_key_encryption_key_is_exit_3(desk):
    (desk.data / "secret" / "key-encryption-key").unlink()
    ran = desk.run("audit")
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1


def test_another_log_origin_is_exit_3(desk):
    ran = child("audit", "--data", desk.data, "--json", YINXIN_LOG_ORIGIN="other.example/log")
    assert (ran.returncode, json.loads(ran.stdout)["error"]["code"]) == (3, "log-origin-differs")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_serve_sets_up_says_where_it_is_and_stops(tmp_path):
    port, data = _free_port(), tmp_path / "data"
    command = [sys.executable, "-m", "cli", "serve", "--data", str(data), "--port", str(port)]
    with (tmp_path / "out").open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        said = (tmp_path / "out").read_text()
        assert str(data) in said
        assert f"127.0.0.1:{port}" in said
        assert "yinxin client register" in said
        assert "oauth/token" in said
        assert "187" in said
        made = child("client", "register", "--data", data, "--name", "运维", "--role", "operator", *WHY, "--json")
        assert json.loads(made.stdout)["secret"]  # beside the running server
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) in {0, 130, -signal.SIGINT}
    assert "Traceback" not in (tmp_path / "out").read_text()
    assert child("audit", "--data", data).returncode == 0


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not come up")


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = child("serve", "--data", tmp_path / "data", "--port", taken.getsockname()[1])
    assert ran.returncode == 4
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip().splitlines()[-1].startswith("system: ")


def test_a_second_start_publishes_nothing_again(tmp_path):
    from cli.commands.operation import _publish_once

    settings = Settings(data=tmp_path / "data")
    initialise(settings, datetime.now(UTC))
    assert _publish_once(settings.data) == 187
    assert _publish_once(settings.data) == 0


def test_persons_are_erased_with_a_reason_and_the_audit_stays_sound(desk, shop):
    with shop.database.read() as connection:
        entry = shop.book.indexes(connection, "organ.registered")[0]
    told = desk.json("erase", entry, "act", *WHY)
    assert (told["entry"], told["groups"]) == (entry, ["act"])
    with shop.database.read() as connection:
        assert shop.book.entry(connection, entry).erased == {"act": told["recorded"]}
        assert shop.book.entry(connection, told["recorded"]).value("erasure")["reason"] == WHY[1]
    assert desk.json("audit")["findings"] == []


def test_what_identifies_a_row_is_not_erased(desk, shop):
    with shop.database.read() as connection:
        entry = shop.book.indexes(connection, "organ.registered")[0]
    ran = desk.run("erase", entry, "row", "--json", *WHY)
    assert ran.code == 1
    assert ran.json["error"]["code"] == "draft-refused"


def test_renewing_says_what_it_would_do_and_what_it_cannot(desk):
    assert desk.json("renew", "--dry-run") == []
    assert desk.run("renew", "--within", "P90D").code == 0
    assert desk.error("renew", "--within", "soon") == (2, "period-unreadable")
    assert desk.error("renew", "--output", desk.folder / "out") == (2, "output-without-files")
    plain = desk.write("plain.pdf", "%PDF-1.7 no signature")
    assert [each["state"] for each in desk.json("renew", plain)] == ["no-time-stamp"]
    assert not (desk.folder / "plain.renewed.pdf").exists()
