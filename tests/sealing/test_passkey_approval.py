"""A seal on a principal's passkey: judged by the custody process, by the verdict, and by the script for courts."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from passkey_people import PasskeyHolder, approve_by_passkey, with_passkey_now
from world import COUNTY, World, build_world

from keystore.interface import GroundsError
from sealing.audit import audit
from sealing.court_package import build_package
from sealing.order import Outcome
from sealing.seal import Sealer
from sealing.verification import judge_upload
from sealing.workshop import open_workshop


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Keys are in a custody process; it takes the real time."""
    settings, plan = build_world(
        tmp_path_factory.mktemp("passkeys") / "data", datetime.now(UTC), unsafe_in_process_keys=False
    )
    with open_workshop(settings) as shop:
        yield plan.fill(shop)


@pytest.fixture(scope="module")
def holder(world: World) -> PasskeyHolder:
    return with_passkey_now(world, world.staff[COUNTY].principal)


def sealed(world: World, holder: PasskeyHolder, folder: Path) -> Outcome:
    order = world.order("city")
    document = world.document("city", order, folder)
    evidence = approve_by_passkey(world, holder, "city", order, document)
    return Sealer(world.shop).seal(world.submit(order, document, evidence), world.clients["platform"])


def test_the_verdict_shows_the_principals_own_passkey(world: World, holder: PasskeyHolder, tmp_path: Path) -> None:
    outcome = sealed(world, holder, tmp_path)
    assert outcome.state == "sealed"
    path = world.shop.documents.read_path(str(outcome.sealed_digest))
    verdict = judge_upload(world.shop, path, length=path.stat().st_size, receipt=None, now=datetime.now(UTC))
    told = verdict.signatures[0].approval
    assert verdict.indication == "TOTAL_PASSED"
    assert (told["assurance"], told["key"]) == ("person_signed", holder.key_id)
    assert audit(world.shop, datetime.now(UTC)) == []


@pytest.mark.tool("openssl")
def test_a_court_can_check_it_with_openssl(world: World, holder: PasskeyHolder, tmp_path: Path) -> None:
    shop = world.shop
    package = build_package(shop, str(sealed(world, holder, tmp_path).impression), datetime.now(UTC))
    with zipfile.ZipFile(BytesIO(package)) as archive:
        (tmp_path / "judge.py").write_bytes(archive.read("judge.py"))
    (tmp_path / "package.zip").write_bytes(package)
    (tmp_path / "root.pem").write_text(shop.installation.root)
    (tmp_path / "log.vkey").write_text(shop.identity.vkey)
    done = subprocess.run(
        [sys.executable, "-I", "judge.py", "package.zip", "--root", "root.pem", "--log-key", "log.vkey"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_the_custody_process_believes_no_other_page(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules are told that all is well; the process that holds the key looks for itself."""
    other = with_passkey_now(world, world.staff[COUNTY].principal)
    assert sealed(world, other, tmp_path).state == "sealed"  # the key is pinned now
    other.authenticator.origin = "https://elsewhere.example"
    refused = {each["code"]: each["en"] for each in sealed(world, other, tmp_path).findings if not each["passed"]}
    assert "origin differ" in refused["principal_approved"]
    monkeypatch.setattr("registry.statements.check_assertion", lambda *_, **__: None)
    with pytest.raises(GroundsError, match="origin"):
        sealed(world, other, tmp_path)
