"""Whole installations behind the custody process: from a ceremony, in a token, restored. Each seals, and is audited."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from softhsm import make_token
from typer.testing import CliRunner
from world import PLAIN, Plan, World, build_world

from cli.main import app
from sealing.audit import audit
from sealing.audit_keys import audit_keys
from sealing.backup import back_up
from sealing.clock import utc_now
from sealing.restore import Restoring, restore
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop


def command(*words: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def found_by_ceremony(folder: Path) -> Settings:
    """An installation whose root's key lies elsewhere."""
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("six words that nobody would guess\n")
    secret = ("--passphrase-file", passphrase)
    command("ceremony", "root", folder / "root", *secret)
    asked = json.loads(command("ceremony", "request", folder / "issuer.csr", "--data", folder / "data", "--json"))
    public = ("--public-key", asked["public_key"], "--public-url", "http://127.0.0.1:8420")
    command("ceremony", "issue", folder / "root", folder / "issuer.csr", folder / "out", *public, *secret)
    command("init", "--ceremony", folder / "out", "--data", folder / "data")
    return Settings(data=folder / "data")


def seal(shop: Workshop, world: World, folder: Path) -> None:
    again = replace(world, shop=shop, now=utc_now())
    outcome = Sealer(shop).seal(again.submission("city", folder), world.clients["platform"])
    assert outcome.state == "sealed", outcome.findings


def wrong(shop: Workshop) -> list[str]:
    """What ledger and record of key uses have against the installation."""
    whole = [each.code for each in audit(shop, utc_now()) if each.severity == "broken"]
    return whole + [each.code for each in audit_keys(shop).findings if each.severity == "broken"]


@pytest.mark.tool("softhsm2-util")
@pytest.mark.parametrize("keys", ["files", "token"])
def test_an_installation_from_a_ceremony_seals_through_its_custody_process(
    keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if keys == "token":
        token = make_token(tmp_path / "token")
        for name, value in token.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("YINXIN_KEYSTORE", token.uri)
    settings = found_by_ceremony(tmp_path)
    with open_workshop(settings) as shop:
        assert shop.installation.root_key is None
        world = Plan(utc_now(), PLAIN).fill(shop)
        seal(shop, world, tmp_path)
        assert wrong(shop) == []
        assert {each.partition(":")[0] for each in shop.keystore.refs()} == {"pkcs11" if keys == "token" else "file"}


def test_a_restored_installation_seals_through_a_custody_process_of_its_own(tmp_path: Path) -> None:
    settings, plan = build_world(tmp_path / "data", utc_now(), unsafe_in_process_keys=False)
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "identity"
    path.touch(mode=0o600)
    path.write_text(f"{identity}\n")
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        seal(shop, world, tmp_path)
        back_up(shop, tmp_path / "one.age", [str(identity.to_public())], utc_now(), with_key_encryption_key=True)
    shutil.move(tmp_path / "data", tmp_path / "lost")
    restore(settings, Restoring(backup=tmp_path / "one.age", folder=tmp_path / "data", identity=path), utc_now())
    with open_workshop(settings) as shop:
        seal(shop, world, tmp_path)
        assert wrong(shop) == []
