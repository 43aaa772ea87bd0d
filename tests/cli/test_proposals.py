"""Two administrators at two terminals: one proposes, the other looks and approves, each with a key of their own."""

import json
from base64 import b64decode
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from world import COUNTY, TOWN, identity_number

from sealing import clock

WHY = ("--why", "测试原因")


def pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem() -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def rotation(desk) -> str:
    """The id of a proposal that waits."""
    made = desk.json("grant", "renew-key", desk.world.seals["town"], *desk.signer(COUNTY, 0), *WHY)
    return made["id"]


def test_what_is_proposed_is_done_when_another_approves(desk):
    proposal = rotation(desk)
    assert [each["id"] for each in desk.json("proposal", "list", "--open")] == [proposal]
    shown = desk.run("proposal", "show", proposal)
    assert desk.world.seals["town"] in shown.out
    assert "rotate_key" in shown.out
    ended = desk.run("proposal", "approve", proposal, *desk.signer(COUNTY, 1), *WHY, "--yes")
    assert (ended.code, "carried_out" in ended.out) == (0, True)
    assert desk.json("proposal", "list", "--open") == []
    assert len(desk.json("grant", "show", desk.world.seals["town"])["certificates"]) == 2


def test_a_proposal_tells_what_the_second_person_runs(desk):
    ran = desk.run("grant", "destroy", desk.world.seals["town"], *desk.signer(COUNTY, 0), *WHY)
    assert ran.code == 0
    assert "yinxin proposal approve ppl-" in ran.err


def test_nobody_approves_their_own(desk):
    proposal = rotation(desk)
    told = desk.error("proposal", "approve", proposal, *desk.signer(COUNTY, 0), *WHY, "--yes")
    assert told == (1, "proposal-same-person")
    assert desk.json("proposal", "show", proposal)["state"] == "open"


def test_a_rejected_proposal_is_not_carried_out(desk):
    proposal = rotation(desk)
    assert desk.json("proposal", "reject", proposal, *desk.signer(COUNTY, 1), *WHY)["state"] == "rejected"
    assert desk.error("proposal", "approve", proposal, *desk.signer(COUNTY, 1), *WHY, "--yes") == (
        1,
        "proposal-not-open",
    )
    assert len(desk.json("grant", "show", desk.world.seals["town"])["certificates"]) == 1


def test_an_act_that_fails_says_why_and_fails(desk):
    """The seal is still in use: its keys are not destroyed."""
    made = desk.json("grant", "destroy", desk.world.seals["town"], *desk.signer(COUNTY, 0), *WHY)
    ran = desk.run("proposal", "approve", made["id"], *desk.signer(COUNTY, 1), *WHY, "--yes", "--json")
    assert (ran.code, ran.json["state"]) == (1, "failed")
    assert json.loads(ran.json["outcome"])["code"] == "seal-change-refused"


def test_a_proposal_past_its_time_is_approved_by_nobody(desk, monkeypatch):
    proposal = rotation(desk)
    now = clock.utc_now
    monkeypatch.setattr(clock, "utc_now", lambda: now() + timedelta(hours=25))
    assert desk.error("proposal", "approve", proposal, *desk.signer(COUNTY, 1), *WHY, "--yes") == (
        1,
        "proposal-not-open",
    )
    assert desk.json("recover")["proposals"] == [proposal]


def test_without_a_terminal_an_approval_is_said_with_yes(desk):
    proposal = rotation(desk)
    assert desk.error("proposal", "approve", proposal, *desk.signer(COUNTY, 1), *WHY) == (2, "confirmation-needed")
    assert desk.json("proposal", "show", proposal)["state"] == "open"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pem(ec.generate_private_key(ec.SECP256R1())), "signing-key-not-registered"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "signing-key-unreadable"),
        (pem(rsa.generate_private_key(65537, 2048)), "signing-key-unreadable"),
        (public_pem(), "signing-key-unreadable"),
        (b"nothing", "signing-key-unreadable"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
            ),
            "signing-key-unreadable",
        ),
    ],
    ids=["another's", "p384", "rsa", "public", "no-key", "passphrase-without-terminal"],
)
def test_only_the_persons_own_registered_key_signs(desk, content, code):
    person = desk.world.administrators[COUNTY][0].person
    signer = ("--as", person, "--sign-with", desk.write("k.pem", content))
    ran = desk.run("grant", "renew-key", desk.world.seals["town"], *signer, *WHY, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, code)


def test_the_private_key_is_printed_and_kept_nowhere(desk):
    seal, signer = desk.world.seals["town"], desk.signer(COUNTY, 0)
    scalar = desk.world.administrators[COUNTY][0].key.private_numbers().private_value.to_bytes(32, "big")
    ran = desk.run("grant", "renew-key", seal, *signer, *WHY, "--json")
    assert ran.code == 0
    lines = b"".join((desk.folder / signer[3].rsplit("/", 1)[1]).read_bytes().splitlines()[1:-1])
    assert scalar in b64decode(lines)
    for content in (ran.out.encode(), ran.err.encode(), *_files(desk)):
        assert scalar not in content
        assert lines[20:60] not in content


def _files(desk):
    return (path.read_bytes() for path in desk.data.rglob("*") if path.is_file())


def test_both_options_are_given_or_none(desk):
    person = desk.world.administrators[COUNTY][0].person
    path = desk.folder / "items.csv"
    desk.run("item", "export", path)
    assert desk.error("item", "import", path, "--as", person, *WHY) == (2, "signer-incomplete")


def test_any_act_is_proposed_with_its_content(desk):
    content = {"seal": desk.world.seals["town"], "reason": "superseded"}
    path = desk.write("content.json", json.dumps(content))
    made = desk.both("proposal", "new", "cancel_seal", "--content", path, "--hours", "72")
    assert made == {"seal": desk.world.seals["town"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", (2, "json-unreadable")),
        ("[]", (2, "json-unreadable")),
        ('{"seal": "x", "reason": "superseded"}', (1, "record-invalid")),
        ('{"reason": "superseded"}', (1, "record-invalid")),
        ('{"seal": "sea-' + "z" * 26 + '", "reason": "superseded"}', (1, "record-not-found")),
    ],
    ids=["no-json", "no-object", "no-id", "missing", "unknown-seal"],
)
def test_a_content_that_is_none_is_refused(desk, text, told):
    path = desk.write("content.json", text)
    arguments = ("--content", path, *desk.signer(COUNTY, 0), *WHY)
    assert desk.error("proposal", "new", "cancel_seal", *arguments) == told


def test_an_unknown_action_is_a_wrong_command_line(desk):
    path = desk.write("content.json", "{}")
    assert desk.run("proposal", "new", "make_tea", "--content", path, *desk.signer(COUNTY, 0), *WHY).code == 2


def test_a_third_administrator_takes_the_first_two(desk):
    organ = desk.world.codes[COUNTY]
    person = desk.json("person", "register", "王五", *WHY, input_=identity_number(902))["id"]
    role = ("person", "add-role", person, "--organ", organ, "--role", "grantor_administrator", "--document", "任3")
    assert desk.error(*role, *WHY) == (1, "two-persons-needed")
    assert desk.both(*role)["role"].startswith("rol-")
    key = ("person", "add-key", person, "--key", desk.write("p.pem", public_pem()), "--document", "表")
    assert desk.error(*key, *WHY) == (1, "two-persons-needed")
    assert desk.both(*key)["key"].startswith("pky-")


def test_other_roles_take_one_person_and_say_so(desk):
    role = ("person", "add-role", desk.world.staff[TOWN].user, "--organ", desk.world.codes[TOWN], "--role", "custodian")
    assert desk.error(*role, "--document", "任", *desk.signer(COUNTY, 0), *WHY) == (2, "role-takes-one-person")
