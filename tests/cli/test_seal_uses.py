"""Seal a local PDF, judge it in a fresh process without a database, decide its entry again."""

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest
from world import START

from registry.records import Client
from sealing.administration import clients

WHY = ("--why", "测试")


@pytest.fixture
def papers(desk):
    """A PDF, its order and its approval, as files."""
    order = desk.world.order("town")
    document = desk.world.document("town", order, desk.folder)
    approval = desk.world.approve("town", order, document)
    return {
        "file": document,
        "order": desk.write("order.json", json.dumps(order.to_json(), ensure_ascii=False)),
        "approval": desk.write("approval.jws", approval + "\n"),
        "client": desk.world.clients["platform"].client,
        "out": desk.folder / "sealed.pdf",
        "receipt": desk.folder / "receipt.json",
    }


def seal(desk, papers, *more, without=()):
    named = [(f"--{name}", path) for name, path in papers.items() if name not in {"file", *without}]
    return desk.run("seal", papers["file"], *(each for pair in named for each in pair), *more)


@pytest.fixture
def trust(desk, shop):
    desk.write("roots.pem", shop.installation.root)
    key = desk.run("checkpoint", "--vkey").out
    desk.write("log.vkey", key)
    return ("--trust", desk.folder / "roots.pem", "--log-key", desk.folder / "log.vkey")


def test_seal_then_verify_then_replay(desk, papers, trust):
    ran = seal(desk, papers, "--json")
    assert ran.code == 0, ran
    outcome = ran.json
    assert (outcome["state"], outcome["replayed"]) == ("sealed", False)
    assert papers["out"].read_bytes().startswith(papers["file"].read_bytes())
    at = ("--at", START.replace(hour=3).isoformat())
    from typer.testing import CliRunner

    from cli.main import app

    judged = CliRunner().invoke(
        app,
        [str(each) for each in ("verify", papers["out"], "--receipt", papers["receipt"], *trust, *at, "--json")],
    )
    verdict = json.loads(judged.stdout)
    assert verdict["signatures"][0]["kind"] == "seal"
    assert judged.exit_code == {"TOTAL_PASSED": 0, "INDETERMINATE": 2}[verdict["indication"]]
    replayed = desk.json("verify", "--replay", outcome["entry"] - 1)
    assert replayed["same"] is True
    assert "seal_active" in desk.run("verify", "--replay", outcome["entry"] - 1).out
    assert desk.error("verify", "--replay", outcome["entry"]) == (1, "no-decision")
    assert desk.error("verify", "--replay", 10**6) == (1, "entry-not-found")


def test_a_changed_file_fails(desk, papers, trust):
    assert seal(desk, papers).code == 0
    data = bytearray(papers["out"].read_bytes())
    data[len(papers["file"].read_bytes()) // 2] ^= 1
    path = desk.write("changed.pdf", bytes(data))
    ran = run_child("verify", path, "--receipt", papers["receipt"], *trust)
    assert ran.returncode == 1, ran.stdout
    assert "TOTAL_FAILED" in ran.stdout


def test_what_cannot_be_told_is_exit_2(desk, papers, trust):
    ran = run_child("verify", papers["file"], *trust, "--language", "en")
    assert ran.returncode == 2, ran.stdout
    assert "INDETERMINATE" in ran.stdout


def test_a_file_that_takes_too_long_is_exit_2_with_the_reason(desk, trust):
    """The PDF library reads a hexadecimal string digit by digit."""
    bomb = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/X<" + b"41" * 10_000_000 + b">>>\nendobj\n"
    at = len(bomb)
    table = b"xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \n"
    path = desk.write("bomb.pdf", bomb + table + b"trailer\n<</Size 2/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % at)
    begun = monotonic()
    ran = run_child("verify", path, *trust, "--seconds", "1", "--json")
    assert ran.returncode == 2, ran.stderr
    verdict = json.loads(ran.stdout)
    assert verdict["indication"] == "INDETERMINATE"
    (finding,) = verdict["findings"]
    assert finding["code"] == "judging_failed"
    assert "worker-timeout" in finding["zh"]
    assert "worker-timeout" in finding["en"]
    assert monotonic() - begun < 60  # far from the minutes that the library would take


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "0.5", "99999"])
def test_a_time_limit_that_is_none(desk, papers, trust, seconds):
    ran = desk.run("verify", papers["file"], *trust, "--seconds", seconds)
    assert ran.code == 2
    assert "--seconds" in ran.err  # told as a wrong command line, not as a verdict
    assert ran.out == ""


def test_the_same_key_seals_once(desk, papers):
    first = seal(desk, papers, "--idempotency-key", "一次", "--json").json
    papers["out"], papers["receipt"] = desk.folder / "again.pdf", desk.folder / "again.json"
    again = seal(desk, papers, "--idempotency-key", "一次", "--json").json
    assert again == {**first, "replayed": True}


def test_nothing_is_overwritten(desk, papers):
    papers["out"].write_bytes(b"mine")
    ran = seal(desk, papers)
    assert ran.code == 2
    assert "file-exists" in ran.err
    assert papers["out"].read_bytes() == b"mine"


def test_a_refusal_names_each_rule_and_leaves_no_file(desk, papers):
    ran = seal(desk, papers, without=("approval",))
    assert ran.code == 1
    assert "principal_approved" in ran.out
    assert not papers["out"].exists()
    assert not papers["receipt"].exists()


def test_an_order_of_no_form_and_a_file_that_is_no_pdf(desk, papers):
    papers["order"].write_text('{"seal": 1, "more": true}')
    ran = seal(desk, papers, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "order-invalid")
    assert "more" in ran.json["error"]["en"]


def test_a_suspended_client_and_one_that_seals_nothing(desk, papers, shop):
    client = papers["client"]
    act = desk.world.act("停用")
    clients.change_state(shop, client, "suspend", act)
    ran = seal(desk, papers, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, "client-may-not-seal")
    operator = clients.ClientRequest(name="运维", roles=("operator",))
    papers["client"] = clients.register(shop, operator, act).client.record.id
    assert seal(desk, papers, "--json").json["error"]["code"] == "client-may-not-seal"
    with shop.database.read() as connection:
        assert shop.registry.get(connection, Client, client).record.state == "suspended"


def run_child(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )


def test_verify_loads_no_database_no_server_and_no_keystore(desk, papers, trust):
    assert seal(desk, papers).code == 0
    arguments = [str(each) for each in ("verify", papers["out"], "--receipt", papers["receipt"], *trust, "--json")]
    program = (
        "import sys\nfrom cli.main import app\n"
        f"try:\n    app({arguments!r})\nexcept SystemExit:\n    pass\n"
        "never = {'sqlalchemy', 'fastapi', 'uvicorn', 'keystore.files', 'sealing.workshop', 'pyhanko'}\n"
        "print(sorted(never & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(ran.stdout)["signatures"]
    assert ran.stderr.strip() == "[]"
