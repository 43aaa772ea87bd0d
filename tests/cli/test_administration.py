"""Organs, persons, items, agreements, seals and clients from the command line, with who, why and when."""

import getpass
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from world import COUNTY, FORESTRY, TOWN, identity_number, organ_code, sign_version, terms

from ledger.canonical import canonical
from ledger.ids import is_id
from registry.record import derived_id
from registry.records import Agreement, CalendarDay, PilotRegion

WHY = ("--why", "测试原因")


def public_pem() -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_an_organ_is_registered_shown_and_changed(desk):
    code = organ_code(70)
    more = ("--name", "兴国县民政局", "--level", "county", "--region", "360732", "--alias", "县民政局", *WHY)
    made = desk.json("organ", "register", code, *more)
    assert (made["legal_name"], made["aliases"], made["version"]) == ("兴国县民政局", ["县民政局"], 1)
    key = desk.json("organ", "add-key", code, "--key", desk.write("k.pem", public_pem()), "--document", "函", *WHY)
    shown = desk.json("organ", "show", code)
    assert [each["id"] for each in shown["keys"]] == [key["id"]]
    assert desk.json("organ", "end-key", key["id"], *WHY)["valid_until"] is not None
    changed = ("--name", "兴国县民政和养老局", "--level", "county", "--region", "360732", *WHY)
    assert desk.json("organ", "change", code, *changed)["version"] == 2
    assert "兴国县民政和养老局" in desk.run("organ", "list").out


def test_every_change_names_the_login_and_the_reason(desk, shop):
    code = organ_code(71)
    made = desk.json(
        "organ", "register", code, "--name", "兴国县档案局", "--level", "county", "--region", "360732", *WHY
    )
    with shop.database.read() as connection:
        act = shop.book.entry(connection, made["entry"]).openings["act"].value
    assert act["why"] == "测试原因"
    assert act["by"]["id"] == derived_id("opr", getpass.getuser())
    assert getpass.getuser() in act["by"]["name"]


def test_a_change_without_a_reason_is_not_made(desk):
    ran = desk.run("grant", "suspend", desk.world.seals["town"])
    assert ran.code == 2
    assert desk.json("grant", "show", desk.world.seals["town"])["state"] == "active"


def test_a_succession_is_recorded(desk):
    old, new = desk.world.codes[FORESTRY], desk.world.codes[COUNTY]
    done = desk.json("organ", "succeed", old, "--by", new, "--on", "2026-12-01", "--document", "机构改革方案", *WHY)
    assert done["succeeded_by"] == {"organ": new, "on": "2026-12-01", "document": "机构改革方案"}


def test_an_identity_number_comes_from_standard_input_only(desk):
    number = identity_number(900)
    made = desk.json("person", "register", "张三", *WHY, input_=f"{number}\n")
    assert number not in json.dumps(made)
    assert made["natural_person"].startswith("hmac-sha256:")
    assert desk.run("person", "register", "张三", *WHY, input_="123\n").code == 1


def test_a_person_gets_a_role_and_a_key_and_loses_both(desk):
    person = desk.json("person", "register", "李四", *WHY, input_=identity_number(901))["id"]
    code = desk.world.codes[TOWN]
    role = desk.json("person", "add-role", person, "--organ", code, "--role", "principal", "--document", "任1", *WHY)
    key = desk.json("person", "add-key", person, "--key", desk.write("p.pem", public_pem()), "--document", "表", *WHY)
    shown = desk.json("person", "show", person)
    assert ([each["id"] for each in shown["roles"]], [each["id"] for each in shown["keys"]]) == (
        [role["id"]],
        [key["id"]],
    )
    assert role["id"] in desk.run("person", "roles", code).out
    assert desk.json("person", "end-role", role["id"], *WHY)["valid_until"] is not None
    assert desk.json("person", "end-key", key["id"], *WHY)["valid_until"] is not None


def test_a_private_key_is_never_taken(desk):
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    person = desk.world.staff[TOWN].principal
    for content, code in ((pem, "private-key-given"), (b"nothing", "public-key-unreadable")):
        path = desk.write("key.pem", content)
        assert desk.error("person", "add-key", person, "--key", path, "--document", "表", *WHY) == (2, code)


@pytest.mark.parametrize("at", ["gestern", "2026-11-23T09:00:00", "2026-13-01T00:00:00Z"])
def test_a_time_without_a_zone_or_of_no_form_is_refused(desk, at):
    key = desk.write("k.pem", public_pem())
    arguments = ("--key", key, "--document", "表", "--from", at, *WHY)
    assert desk.error("organ", "add-key", desk.world.codes[TOWN], *arguments) == (2, "time-unreadable")


def test_items_are_listed_shown_exported_and_imported(desk):
    assert len(desk.json("item", "list", "--list", "002-2")) == 26
    assert desk.json("item", "show", "002-2", 14)[0]["number"] == 14
    assert desk.error("item", "show", "002-2", 99) == (1, "item-unknown")
    for name in ("items.csv", "items.xlsx"):
        path = desk.folder / name
        assert desk.run("item", "export", path).code == 0
        assert desk.both("item", "import", path) == {"rows": 144, "opened": 0, "closed": 0}
        assert desk.error("item", "import", path, *WHY) == (2, "signer-incomplete")
        assert desk.run("item", "export", path).code != 0  # never over a file
    assert desk.json("item", "publish", *WHY) == {"published": 0}


def test_bad_cells_are_named_and_nothing_is_imported(desk):
    path = desk.folder / "items.csv"
    desk.run("item", "export", path)
    path.write_bytes(path.read_bytes().replace(b"no2_seal", b"no3_seal", 1))
    ran = desk.run("item", "import", path, *WHY, "--json")
    assert ran.code == 1
    assert [cell["column"] for cell in ran.json["bad"]] == ["mode"]
    assert not ran.json["done"]
    assert "no3_seal" in desk.run("item", "import", path, *WHY).out
    assert desk.error("item", "import", desk.write("x.doc", "x"), *WHY) == (2, "sheet-format")
    assert desk.error("item", "import", desk.write("x.xlsx", "x"), *WHY)[0] == 1


def test_a_dry_run_says_so(desk):
    path = desk.folder / "items.csv"
    desk.run("item", "export", path)
    assert "dry run" in desk.run("item", "import", path, "--dry-run", *WHY).out


def test_pilots_and_days(desk):
    pilot = desk.both("item", "add-pilot", "002-2", 12, "360732101", "--source", "文1")["pilot"]
    assert desk.both("item", "end-pilot", pilot) == {"pilot": pilot}
    (day,) = desk.both("item", "set-day", "2027-05-04", "holiday", "--source", "通知")["days"]
    with desk.open() as shop, shop.database.read() as connection:
        found = shop.registry.get(connection, CalendarDay, day).record
        assert shop.registry.get(connection, PilotRegion, pilot).record.valid_until is not None
    assert (found.date.isoformat(), found.kind) == ("2027-05-04", "holiday")


def drafted(desk, **changed) -> str:
    value = terms(desk.world, "town", **{"number": "兴审协〔2026〕99号", **changed})
    path = desk.write("terms.json", json.dumps(value, ensure_ascii=False))
    return desk.json("agreement", "draft", path, "--original", desk.write("original.pdf", "签署件"), *WHY)["id"]


def test_an_agreement_from_draft_to_recall(desk, shop):
    agreement = drafted(desk)
    for organ in (COUNTY, TOWN):
        with shop.database.read() as connection:
            record = shop.registry.get(connection, Agreement, agreement).record
        kid, key = desk.world.organ_keys[organ]
        jws = sign_version(record, desk.world.codes[organ], kid=kid, key=key)
        payload = desk.run("agreement", "payload", agreement, "--organ", desk.world.codes[organ]).out.strip()
        assert canonical(json.loads(payload)).decode() == payload
        assert json.loads(payload)["organ"] == desk.world.codes[organ]
        desk.json("agreement", "sign", agreement, "--jws", desk.write("s.jws", f"{jws}\n"), *WHY)
    assert desk.json("agreement", "activate", agreement, *WHY)["state"] == "in_force"
    assert desk.json("agreement", "suspend", agreement, *WHY)["state"] == "suspended"
    assert [desk.both("agreement", each, agreement)["state"] for each in ("resume", "recall")] == [
        "in_force",
        "recalled",
    ]
    assert "兴审协〔2026〕99号" in desk.run("agreement", "list").out
    ran = desk.run("agreement", "payload", agreement, "--organ", desk.world.codes[TOWN])
    assert (ran.code, "agreement-nothing-to-sign" in ran.err) == (1, True)


def test_an_incomplete_agreement_names_every_missing_part(desk):
    value = terms(desk.world, "town", liability="", scope="", number="甲")
    path = desk.write("terms.json", json.dumps(value))
    ran = desk.run("agreement", "draft", path, "--original", desk.write("o.pdf", "x"), *WHY)
    assert ran.code == 1
    assert "法律责任" in ran.err
    assert "用章范围" in ran.err
    assert desk.error("agreement", "draft", desk.write("t.json", "{"), "--original", path, *WHY) == (
        2,
        "json-unreadable",
    )


def test_an_amendment_and_an_end(desk):
    agreement = desk.world.agreements["town"]
    path = desk.write("terms.json", json.dumps(terms(desk.world, "town", scope="扩大")))
    opened = desk.json("agreement", "amend", agreement, path, "--original", desk.write("o.pdf", "x"), *WHY)
    assert opened["pending"]["number"] == 2
    proposal = desk.json("agreement", "activate", agreement, *desk.signer(COUNTY, 0), *WHY)["id"]
    ran = desk.run("proposal", "approve", proposal, *desk.signer(COUNTY, 1), *WHY, "--yes", "--json")
    assert (ran.code, json.loads(ran.json["outcome"])["code"]) == (1, "agreement-not-signed")
    assert desk.both("agreement", "end", agreement)["state"] == "ended"


def test_a_signed_amendment_comes_into_force_by_two(desk, shop):
    agreement = desk.world.agreements["town"]
    path = desk.write("terms.json", json.dumps(terms(desk.world, "town", scope="扩大")))
    desk.json("agreement", "amend", agreement, path, "--original", desk.write("o.pdf", "x"), *WHY)
    for organ in (COUNTY, TOWN):
        with shop.database.read() as connection:
            record = shop.registry.get(connection, Agreement, agreement).record
        kid, key = desk.world.organ_keys[organ]
        jws = sign_version(record, desk.world.codes[organ], kid=kid, key=key)
        desk.json("agreement", "sign", agreement, "--jws", desk.write("s.jws", jws), *WHY)
    assert desk.error("agreement", "activate", agreement, *WHY) == (1, "two-persons-needed")
    assert desk.both("agreement", "activate", agreement)["version"] == 2


def test_a_seal_from_issue_to_destruction(desk):
    old, agreement = desk.world.seals["town"], desk.world.agreements["town"]
    for command, state in (("cancel", "cancelled"), ("destroy", "destroyed")):
        assert desk.both("grant", command, old) == {"seal": old}
        assert desk.json("grant", "show", old)["state"] == state
    made = desk.json("grant", "show", desk.both("grant", "issue", agreement, "--daily-cap", 5)["seal"])
    assert (made["name"], made["state"], made["daily_cap"]) == ("兴国县行政审批局行政审批专用章（35）", "pending", 5)
    assert (made["level"], made["may_lower"], made["check_mark"]) == ("PAdES-B-LT", False, "qr")
    chosen = ("--level", "PAdES-B-T", "--may-lower", "--check-mark", "none")
    changed = desk.json("grant", "policy", made["id"], *chosen, *WHY)
    assert (changed["level"], changed["may_lower"], changed["check_mark"]) == ("PAdES-B-T", True, "none")
    assert desk.error("grant", "enable", made["id"], *WHY) == (1, "seal-has-no-custodian")
    desk.json("grant", "custodian", made["id"], desk.world.staff[TOWN].custodian, *WHY)
    for change, state in (("enable", "active"), ("suspend", "suspended"), ("resume", "active")):
        assert desk.json("grant", change, made["id"], *WHY)["state"] == state
    assert (
        desk.json("grant", "file", made["id"], 1, "备〔2026〕1号", *WHY)["filings"][0]["filing_number"]
        == "备〔2026〕1号"
    )
    assert desk.both("grant", "renew-key", made["id"])["seal"] == made["id"]
    shown = desk.json("grant", "show", made["id"])
    assert [each["retired_at"] is None for each in shown["certificates"]] == [False, True]
    assert made["id"] in desk.run("grant", "list").out


def test_a_face_is_drawn_once_into_a_file(desk):
    seal = desk.world.seals["town"]
    for name, head in (("face.svg", b"<svg"), ("face.png", b"\x89PNG")):
        assert desk.run("grant", "face", seal, desk.folder / name).code == 0
        assert (desk.folder / name).read_bytes().startswith(head)
        assert desk.run("grant", "face", seal, desk.folder / name).code != 0
    assert desk.run("grant", "face", seal, desk.folder / "face.gif").code == 2


def test_a_licensed_certificate_needs_configured_roots(desk):
    seal = desk.world.seals["town"]
    ran = desk.run("grant", "request-certificate", seal, *WHY)
    assert ran.out.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    path = desk.write("c.pem", "x")
    assert desk.error("grant", "import-certificate", seal, path, *WHY) == (3, "no-licensed-roots")


def test_a_clients_secret_is_shown_once(desk):
    organ = desk.world.codes[TOWN]
    made = desk.json("client", "register", "--name", "平台", "--role", "approval_system", "--organ", organ, *WHY)
    assert is_id(made["id"])
    assert len(made["secret"]) == 43
    everything = desk.run("client", "list", "--json").out
    assert made["secret"] not in everything
    assert "secret_hash" not in everything
    renewed = desk.run("client", "renew-secret", made["id"], *WHY)
    assert renewed.code == 0
    assert "shown this once" in renewed.out
    assert made["secret"] not in renewed.out
    path = desk.write("a.pem", public_pem())
    key = desk.json("client", "add-approval-key", made["id"], "--key", path, "--document", "表", *WHY)
    assert desk.json("client", "end-approval-key", key["id"], *WHY)["valid_until"] is not None
    states = [desk.json("client", each, made["id"], *WHY)["state"] for each in ("suspend", "resume", "close")]
    assert states == ["suspended", "active", "closed"]
    own = desk.json(
        "client", "register", "--name", "x", "--role", "operator", "--key", desk.write("c.pem", public_pem()), *WHY
    )
    assert own["secret"] is None


@pytest.mark.parametrize(
    "command",
    [
        ("organ", "show", "911111111111111110"),
        ("person", "show", "per-" + "z" * 26),
        ("agreement", "show", "agr-" + "z" * 26),
        ("grant", "show", "sea-" + "z" * 26),
        ("client", "suspend", "cli-" + "z" * 26, *WHY),
    ],
    ids=lambda each: each[0],
)
def test_what_is_not_there_is_one_line_and_exit_1(desk, command):
    ran = desk.run(*command)
    assert ran.code == 1
    assert ran.err.startswith("record-not-found: ")
    assert len(ran.err.splitlines()) == 1
