"""Backup and restore by the real commands, and two persons who decide offline that the ledger goes back."""

import json
from datetime import timedelta
from hashlib import sha256

import pyrage
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from world import COUNTY

from sealing import clock
from sealing.settings import Settings
from sealing.workshop import open_workshop
from tests.cli.conftest import Desk, run

WHY = ("--why", "磁盘损坏")


@pytest.fixture
def age(desk) -> tuple[str, str]:
    """The recipient, and the file of the identity."""
    identity = pyrage.x25519.Identity.generate()
    path = desk.write("identity", f"{identity}\n")
    path.chmod(0o600)
    return str(identity.to_public()), str(path)


def backed_up(desk: Desk, age: tuple[str, str]) -> dict[str, object]:
    return desk.json("backup", desk.folder / "one.age", "--recipient", age[0], "--with-key-encryption-key")


def restoring(desk: Desk, age: tuple[str, str], *more: object) -> tuple[object, ...]:
    return ("restore", desk.folder / "one.age", desk.folder / "back", "--identity", age[1], *more)


def test_a_backup_comes_back_and_shows_no_secret(desk, age):
    made = backed_up(desk, age)
    content = (desk.folder / "one.age").read_bytes()
    assert made["digest"] == f"sha256:{sha256(content).hexdigest()}"
    secrets = [each.read_bytes() for each in (desk.data / "secret").iterdir()]
    keys = [path.read_bytes() for path in (desk.data / "keys").glob("*.json")]
    assert secrets
    assert keys
    assert not any(each in content for each in (*secrets, *keys))
    ran = desk.run(*restoring(desk, age), "--json")
    assert (ran.code, ran.json["entries"]) == (0, made["entries"] + 1)
    assert not any(each.hex() in ran.out + ran.err for each in secrets)
    again = run("audit", "--data", desk.folder / "back", "--json")
    assert again.json["sound"]


def test_a_backup_is_never_written_over(desk, age):
    backed_up(desk, age)
    assert desk.error("backup", desk.folder / "one.age", "--recipient", age[0]) == (3, "backup-exists")


def statement(desk: Desk, which: int, *more: object) -> str:
    """Signed with nothing but a key file: no installation is read."""
    one = desk.world.administrators[COUNTY][which]
    pem = one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    target = desk.folder / f"statement-{len(list(desk.folder.glob('statement-*')))}.jws"
    said = (
        *("proposal", "sign", target, "--content", desk.folder / "content.json"),
        *("--log", desk.world.shop.installation.log_origin, "--organ", one.organ, "--as", one.person),
        *("--kid", one.kid, "--sign-with", desk.write("k.pem", pem)),
    )
    ran = run(*said, *WHY, *more)
    assert ran.code == 0, ran
    return str(target)


def test_the_ledger_goes_back_only_if_two_persons_sign_it_and_that_is_recorded(desk, age):
    made = backed_up(desk, age)
    desk.json("grant", "suspend", desk.world.seals["town"], *WHY)
    known = desk.run("checkpoint").out.split("\n")[1]
    assert desk.error(*restoring(desk, age)) == (3, "restore-rolls-back")
    content = {"backup": made["digest"], "from_size": int(known), "to_size": made["entries"]}
    desk.write("content.json", json.dumps(content))
    first = statement(desk, 0)
    alone = statement(desk, 0, "--decides", first)
    second = statement(desk, 1, "--decides", first)
    assert desk.error(*restoring(desk, age, "--proposal", first)) == (2, "one-statement-given")
    same = desk.error(*restoring(desk, age, "--proposal", first, "--decision", alone))
    assert same == (1, "proposal-same-person")
    assert not (desk.folder / "back").exists()
    restored = desk.json(*restoring(desk, age, "--proposal", first, "--decision", second))
    assert restored["said_by"] == [desk.world.administrators[COUNTY][each].person for each in (0, 1)]
    with open_workshop(Settings(data=desk.folder / "back")) as shop, shop.database.read() as connection:
        entry = shop.book.entry(connection, restored["entry"])
    assert entry.kind == "installation.restored"
    assert entry.value("restored")["against"] == "restore-rolls-back"


def test_statements_of_yesterday_count_no_more(desk, age, monkeypatch):
    made = backed_up(desk, age)
    desk.json("grant", "suspend", desk.world.seals["town"], *WHY)
    known = desk.run("checkpoint").out.split("\n")[1]
    content = {"backup": made["digest"], "from_size": int(known), "to_size": made["entries"]}
    desk.write("content.json", json.dumps(content))
    first = statement(desk, 0)
    second = statement(desk, 1, "--decides", first)
    now = clock.utc_now
    monkeypatch.setattr(clock, "utc_now", lambda: now() + timedelta(hours=25))
    told = desk.error(*restoring(desk, age, "--proposal", first, "--decision", second))
    assert told == (1, "proposal-statement-expired")


@pytest.mark.parametrize("content", [b"nothing", b"\xff\xfe", b"a.b.c", b""], ids=repr)
def test_what_is_no_statement_is_neither_approved_nor_taken(desk, age, content):
    desk.write("content.json", "{}")
    path = desk.write("x.jws", content)
    with pytest.raises(AssertionError, match="statement-unreadable"):
        statement(desk, 0, "--decides", path)
    backed_up(desk, age)
    desk.json("grant", "suspend", desk.world.seals["town"], *WHY)
    desk.run("checkpoint")
    told = desk.error(*restoring(desk, age, "--proposal", path, "--decision", path))
    assert told == (1, "statement-malformed")
