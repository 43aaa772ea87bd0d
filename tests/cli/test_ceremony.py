"""A key ceremony by the real commands: the root's key stays where it was made; the installation works without it."""

import json
import shutil
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from authority.revocation import read_crl
from cli.main import app
from sealing.audit import audit
from sealing.clock import utc_now
from sealing.revocation import crl, root_crl
from sealing.settings import Settings
from sealing.workshop import open_workshop

URL = "http://127.0.0.1:8420"


class Table:
    """The machines of a ceremony: one offline, one target."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.root, self.data = folder, folder / "root", folder / "data"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("four words are not enough\n")
        self.passphrase.chmod(0o600)

    def run(self, *words: object, code: int = 0) -> str:
        result = CliRunner().invoke(app, [str(each) for each in words])
        assert result.exit_code == code, result.output
        assert "four words" not in result.output
        return result.stdout

    def json(self, *words: object) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.run(*words, "--json"))
        return found

    def secret(self, *words: object) -> tuple[object, ...]:
        return (*words, "--passphrase-file", self.passphrase)

    def hold(self) -> None:
        self.run(*self.secret("ceremony", "root", self.root))
        asked = self.json("ceremony", "request", self.folder / "issuer.csr", "--data", self.data)
        self.run(
            *self.secret("ceremony", "issue", self.root, self.folder / "issuer.csr", self.folder / "out"),
            "--public-key", asked["public_key"], "--public-url", URL,
        )  # fmt: skip
        self.run("init", "--ceremony", self.folder / "out", "--data", self.data)


@pytest.fixture(scope="module")
def held(tmp_path_factory) -> Path:
    """One whole ceremony, for all tests that begin after it: a passphrase costs seconds by design."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YINXIN_UNSAFE_IN_PROCESS_KEYS", "true")
        table = Table(tmp_path_factory.mktemp("ceremony") / "held")
        table.hold()
        return table.folder


@pytest.fixture
def table(tmp_path, monkeypatch, held) -> Table:
    """The machines after a ceremony."""
    monkeypatch.setenv("YINXIN_UNSAFE_IN_PROCESS_KEYS", "true")
    shutil.copytree(held, tmp_path / "held")
    return Table(tmp_path / "held")


@pytest.fixture
def bare(tmp_path, monkeypatch) -> Table:
    """The machines before a ceremony."""
    monkeypatch.setenv("YINXIN_UNSAFE_IN_PROCESS_KEYS", "true")
    return Table(tmp_path / "bare")


def test_an_installation_from_a_ceremony_works_without_the_root_key(table):
    with open_workshop(Settings(data=table.data)) as shop:
        assert shop.installation.root_key is None
        root, issuer = shop.installation.root_certificate, shop.installation.issuer_certificate
        issuer.verify_directly_issued_by(root)
        assert issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
        now = utc_now()
        assert read_crl(root_crl(shop, now), root).current(now)
        assert read_crl(crl(shop, now), issuer).current(now)
        assert [each.en for each in audit(shop, now)] == []
        public = {shop.keystore.open(ref).public_key for ref in shop.keystore.refs()}
    assert root.public_key().public_bytes(*_spki()) not in public
    assert not [path for path in table.data.rglob("*") if path.name.startswith("root-key")]


def _spki():
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Encoding.DER, PublicFormat.SubjectPublicKeyInfo


def test_the_root_key_lies_encrypted_and_opens_with_its_passphrase_only(table):
    content = (table.root / "root-key.age").read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n-> scrypt")
    assert (table.root / "root-key.age").stat().st_mode & 0o777 == 0o600
    table.passphrase.write_text("another one of some length\n")
    table.run(*table.secret("ceremony", "list", table.root, table.folder / "root.crl"), code=3)


def test_a_request_that_was_exchanged_on_the_way_is_refused(table):
    words = table.secret("ceremony", "issue", table.root, table.folder / "issuer.csr", table.folder / "other")
    table.run(*words, "--public-key", "sha256:" + "0" * 64, "--public-url", URL, code=3)
    assert not (table.folder / "other").exists()


def test_steps_may_be_repeated_and_end_with_one_key(bare):
    first = bare.json("ceremony", "request", bare.folder / "one.csr", "--data", bare.data)
    second = bare.json("ceremony", "request", bare.folder / "two.csr", "--data", bare.data)
    assert first == second
    bare.run(*bare.secret("ceremony", "root", bare.root))
    (bare.root / "root.pem").unlink()  # as if killed between the two files
    bare.run(*bare.secret("ceremony", "root", bare.root))
    bare.run(*bare.secret("ceremony", "root", bare.root), code=3)


def test_shares_give_the_key_back_and_too_few_do_not(table):
    key = table.data / "secret" / "key-encryption-key"
    table.run("ceremony", "shares", "--needed", 2, "--of", 3, "--out", table.folder / "shares", "--data", table.data)
    one, two, three = sorted((table.folder / "shares").iterdir())
    back = table.folder / "back"
    table.run("ceremony", "recover-key", back, "--share", one, code=3)
    assert not back.exists()
    table.run("ceremony", "recover-key", back, "--share", three, "--share", one)
    assert back.read_bytes() == key.read_bytes()
    assert two.stat().st_mode & 0o777 == 0o600


def test_the_protocol_names_what_was_made_and_no_secret(table):
    table.run("ceremony", "shares", "--needed", 2, "--of", 3, "--out", table.folder / "shares", "--data", table.data)
    target = table.folder / "protocol.txt"
    table.run("ceremony", "protocol", target, table.root, table.data / "ceremony")
    text = target.read_text(encoding="utf-8")
    assert [text.count(f"{number}. ") >= 1 for number in range(1, 6)] == [True] * 5
    words = (table.folder / "shares" / "share-1-of-3.txt").read_text().splitlines()[1]
    assert " ".join(words.split()[4:]) not in text
    assert "签名 / signature" in text


def test_a_new_list_takes_the_place_of_the_old_one_and_another_roots_does_not(table):
    table.run(*table.secret("ceremony", "list", table.root, table.folder / "new.crl"))
    table.run("ceremony", "accept-list", table.folder / "new.crl", "--data", table.data)
    assert (table.data / "root.crl").read_bytes() == (table.folder / "new.crl").read_bytes()
    table.run(*table.secret("ceremony", "root", table.folder / "other"))
    table.run(*table.secret("ceremony", "list", table.folder / "other", table.folder / "foreign.crl"))
    table.run("ceremony", "accept-list", table.folder / "foreign.crl", "--data", table.data, code=3)
    assert (table.data / "root.crl").read_bytes() == (table.folder / "new.crl").read_bytes()
