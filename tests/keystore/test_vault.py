"""Keys in a Vault: what is made, signed, refused, listed and destroyed, over real TLS."""

import copy
import pickle
import re
import ssl
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import pytest
from tls_authority import make_tls_authority
from vault_server import Vault, vault_running

from keystore.interface import (
    Algorithm,
    KeyNotDestroyedError,
    KeyNotFoundError,
    KeyNotWrittenError,
    KeyServiceAnswerError,
    KeyServiceBusyError,
    KeyServiceGoneError,
    KeyServiceTimeoutError,
    KeyServiceTokenError,
    KeystoreAddressError,
    KeystoreError,
    KeyUnreadableError,
    Permit,
    PermitError,
    SigningKey,
)
from keystore.open import open_keystore
from keystore.signature_check import signature_fits
from keystore.vault import VaultKeystore
from registry.seal_keys import SealKey

ALGORITHMS: list[Algorithm] = ["ecdsa-p256-sha256", "rsa3072-sha256", "ed25519"]


@dataclass
class Site:
    """A running Vault, and what its client is given."""

    vault: Vault
    folder: Path
    tls: ssl.SSLContext
    opened: list[VaultKeystore] = field(default_factory=list)

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    def write_token(self, token: str) -> None:
        self.token_file.write_text(token + "\n")
        self.token_file.chmod(0o600)

    def uri(self, *, host: str = "localhost", mount: str = "transit", seconds: float = 5) -> str:
        files = f"token-file={quote(str(self.token_file))}&roots={quote(str(self.folder / 'roots.pem'))}"
        return f"vault+https://{host}:{self.vault.port}/{mount}?{files}&seconds={seconds}"

    def keystore(self, **how: float) -> VaultKeystore:
        opened = open_keystore(self.uri(**how), key_encryption_key=self.folder / "none")  # type: ignore[arg-type]
        assert isinstance(opened, VaultKeystore)
        self.opened.append(opened)
        return opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    context, _ = make_tls_authority(tmp_path)
    with vault_running(context, Vault()) as vault:
        site = Site(vault, tmp_path, context)
        site.write_token("hvs.first")
        yield site
        for each in site.opened:
            each.close()


def sign(key: SigningKey, message: bytes = b"message") -> bytes:
    return key.sign(Permit.to_sign(key, message), message)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_made_in_the_service_and_signs(site: Site, algorithm: Algorithm) -> None:
    made = site.keystore().generate("seal", algorithm)
    assert made.ref.startswith("vault:seal-")
    assert made.ref.endswith(".v1")
    opened = site.keystore().open(made.ref)
    assert (opened.purpose, opened.algorithm, opened.public_key) == ("seal", algorithm, made.public_key)
    assert signature_fits(made.public_key, sign(opened), b"message")
    assert not signature_fits(made.public_key, sign(opened), b"another")


def test_the_reference_fits_what_records_accept(site: Site) -> None:
    pattern = next(each.pattern for each in SealKey.model_fields["key_ref"].metadata if hasattr(each, "pattern"))
    assert re.fullmatch(pattern, site.keystore().generate("seal", "ed25519").ref)


def test_only_the_digest_leaves_for_keys_that_sign_one(site: Site) -> None:
    key = site.keystore().generate("seal", "ecdsa-p256-sha256")
    sign(key, b"x" * 5000)
    method, path, body = site.vault.requests[-1]
    assert (method, path.rpartition("/")[2]) == ("POST", key.ref.removeprefix("vault:").removesuffix(".v1"))
    assert (len(body["input"]), body["key_version"], body["prehashed"]) == (44, 1, True)


def test_a_rotation_in_the_service_changes_nothing_and_shows(site: Site) -> None:
    store = site.keystore()
    key = store.generate("seal", "ecdsa-p256-sha256")
    name = key.ref.removeprefix("vault:").removesuffix(".v1")
    site.vault.keys[name].rotate()
    assert signature_fits(key.public_key, sign(site.keystore().open(key.ref)), b"message")
    assert store.refs() == [key.ref, f"vault:{name}.v2"]
    assert store.open(f"vault:{name}.v2").public_key != key.public_key
    with pytest.raises(KeyNotFoundError, match="no version 3"):
        store.open(f"vault:{name}.v3")


def test_keys_of_others_in_the_same_engine_are_not_ours(site: Site) -> None:
    store = site.keystore()
    assert store.refs() == []
    site.vault.answer("POST", "/v1/transit/keys/payroll", "hvs.first", {"type": "ed25519"})
    assert store.refs() == []
    with pytest.raises(KeyNotFoundError, match="expected vault:"):
        store.open("vault:payroll.v1")


def test_a_permit_is_needed_and_used_up_before_anything_is_sent(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    permit, sent = Permit.to_sign(key, b"a"), len(site.vault.requests)
    with pytest.raises(PermitError):
        key.sign(permit, b"b")
    assert len(site.vault.requests) == sent
    key.sign(permit, b"a")
    with pytest.raises(PermitError, match="before"):
        key.sign(permit, b"a")


@pytest.mark.parametrize("property_", ["exportable", "allow_plaintext_backup", "derived", "imported_key"])
def test_a_key_that_may_leave_or_came_from_outside_is_refused(site: Site, property_: str) -> None:
    key = site.keystore().generate("seal", "ed25519")
    site.vault.keys[key.ref.removeprefix("vault:").removesuffix(".v1")].properties[property_] = True
    with pytest.raises(KeyUnreadableError, match=property_):
        site.keystore().open(key.ref)


def test_what_is_not_told_counts_as_wrong(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    del site.vault.keys[key.ref.removeprefix("vault:").removesuffix(".v1")].properties["exportable"]
    with pytest.raises(KeyUnreadableError, match="exportable"):
        site.keystore().open(key.ref)


def test_a_key_is_destroyed_with_evidence(site: Site) -> None:
    store = site.keystore()
    kept, key = store.generate("seal", "ed25519"), store.generate("seal", "ed25519")
    destruction = store.destroy(key.ref)
    assert destruction.ref == key.ref
    assert {"objects_before": "2", "objects_after": "1", "versions": "1"}.items() <= destruction.evidence.items()
    assert store.refs() == [kept.ref]
    with pytest.raises(KeyNotFoundError):
        sign(key)
    with pytest.raises(KeyNotFoundError):
        store.open(key.ref)
    with pytest.raises(KeyNotFoundError):
        store.destroy(key.ref)


def test_a_key_that_is_still_there_is_not_called_destroyed(site: Site) -> None:
    store = site.keystore()
    key = store.generate("seal", "ed25519")
    site.vault.keeps_deleted = True
    with pytest.raises(KeyNotDestroyedError, match="still has"):
        store.destroy(key.ref)


def test_a_key_deleted_behind_our_back_is_told_as_gone(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    site.vault.keys.clear()
    with pytest.raises(KeyNotFoundError):
        sign(key)


def test_a_refusal_says_what_the_service_said(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    site.vault.keys[key.ref.removeprefix("vault:").removesuffix(".v1")].properties["min_encryption_version"] = 2
    with pytest.raises(KeyServiceAnswerError, match="less than the minimum encryption key version"):
        sign(key)


def test_a_signature_that_does_not_fit_is_never_given_out(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    site.vault.after_signing = lambda signature: bytes([signature[0] ^ 1]) + signature[1:]
    with pytest.raises(KeyServiceAnswerError, match="does not fit the public key"):
        sign(key)


def test_a_kind_of_key_the_service_does_not_make(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("vault_server", fromlist=["MAKERS"]).MAKERS, "ed25519")
    with pytest.raises(KeyNotWrittenError, match="unknown key type"):
        site.keystore().generate("seal", "ed25519")


def test_a_new_token_is_read_from_the_file_when_the_old_one_is_refused(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    site.vault.tokens = {"hvs.second"}
    with pytest.raises(KeyServiceTokenError) as caught:
        sign(key)
    assert caught.value.code == "key-service-token"
    site.write_token("hvs.second")
    sign(key)


def test_no_error_and_no_text_shows_the_token(site: Site) -> None:
    store = site.keystore()
    key = store.generate("seal", "ed25519")
    shown = [repr(store), repr(key), repr(store._client)]
    site.vault.after_signing = lambda _: b""
    for tokens in ({"hvs.first"}, {"other"}):
        site.vault.tokens = tokens
        with pytest.raises(KeystoreError) as caught:
            sign(key)
        shown += traceback.format_exception(caught.value)
    assert "hvs.first" not in "".join(shown)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o400])
def test_a_token_file_of_another_mode_is_refused(site: Site, mode: int) -> None:
    site.token_file.chmod(mode)
    with pytest.raises(KeyServiceTokenError, match="expected 0600"):
        site.keystore()


@pytest.mark.parametrize("content", ["", "two words", "two\nlines", "令牌"])
def test_a_token_file_that_holds_no_token(site: Site, content: str) -> None:
    site.write_token(content)
    with pytest.raises(KeyServiceTokenError, match="one token"):
        site.keystore()


def _seal(vault: Vault) -> None:
    vault.sealed = True


def _stand_by(vault: Vault) -> None:
    vault.standby = True


def _fill(vault: Vault) -> None:
    vault.over_quota = True


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (_seal, KeyServiceGoneError, "sealed"),
        (_stand_by, KeyServiceGoneError, "redirect 307"),
        (_fill, KeyServiceBusyError, "status 429"),
    ],
    ids=["sealed", "standby", "quota"],
)
def test_a_service_that_does_not_sign_now(
    site: Site, change: Callable[[Vault], None], error: type[KeystoreError], said: str
) -> None:
    key = site.keystore().generate("seal", "ed25519")
    change(site.vault)
    asked = len(site.vault.requests)
    with pytest.raises(error, match=said):
        sign(key)
    assert len(site.vault.requests) == asked + 1


def test_a_mount_that_is_none(site: Site) -> None:
    ref = f"vault:seal-{'0' * 32}.v1"
    with pytest.raises(KeystoreAddressError, match="no transit engine"):
        site.keystore(mount="nothing").open(ref)  # type: ignore[arg-type]
    with pytest.raises(KeyNotFoundError):
        site.keystore().open(ref)


def test_a_service_that_hangs_is_given_up_in_time_and_not_asked_twice(site: Site) -> None:
    store = site.keystore(seconds=0.4)
    key = store.generate("seal", "ed25519")
    site.vault.answer_instead = lambda _: sleep(1)
    asked, start = len(site.vault.requests), monotonic()
    with pytest.raises(KeyServiceTimeoutError, match=r"0\.4 seconds"):
        sign(key)
    assert monotonic() - start < 0.9
    assert len(site.vault.requests) == asked + 1


def test_bytes_that_drip_do_not_stretch_the_time(site: Site) -> None:
    store = site.keystore(seconds=0.4)
    key = store.generate("seal", "ed25519")

    def drip(handler: object) -> None:
        for each in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40:
            handler.wfile.write(bytes([each]))  # type: ignore[attr-defined]
            sleep(0.05)

    site.vault.answer_instead = drip
    start = monotonic()
    with pytest.raises(KeyServiceTimeoutError):
        sign(key)
    assert monotonic() - start < 0.9


def _hang_up(handler: object) -> None:
    handler.close_connection = True  # type: ignore[attr-defined]


def test_a_read_is_asked_again_and_a_signature_is_not(site: Site) -> None:
    store = site.keystore()
    key = store.generate("seal", "ed25519")
    site.vault.answer_instead = _hang_up
    for work, times in ((lambda: sign(key), 1), (store.refs, 2)):
        asked = len(site.vault.requests)
        with pytest.raises(KeyServiceGoneError):
            work()
        assert len(site.vault.requests) == asked + times


def test_a_connection_closed_between_calls_is_made_anew(site: Site) -> None:
    key = site.keystore().generate("seal", "ed25519")
    site.vault.close_after_answer = True
    sign(key)
    sleep(0.05)
    sign(key)


def test_a_service_that_comes_back_is_used_again(site: Site) -> None:
    kept = Vault(close_after_answer=True)
    with vault_running(site.tls, kept):
        port = site.vault.port = kept.port
        key = site.keystore().generate("seal", "ed25519")
    with pytest.raises(KeyServiceGoneError):
        sign(key)
    with vault_running(site.tls, kept, port=port):
        sign(key)


def test_a_server_of_another_authority_is_not_talked_to(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_tls_authority(other)
    uri = site.uri().replace(quote(str(tmp_path / "roots.pem")), quote(str(other / "roots.pem")))
    with pytest.raises(KeyServiceGoneError, match="SSLCertVerificationError"):
        open_keystore(uri, key_encryption_key=tmp_path).generate("seal", "ed25519")
    assert site.vault.requests == []


def test_the_proxy_of_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert sign(site.keystore().generate("seal", "ed25519"))
    assert site.vault.headers[-1]["x-vault-request"] == "true"


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_nothing_is_copied(site: Site, copying: Callable[[object], object]) -> None:
    store = site.keystore()
    for each in (store, store.generate("seal", "ed25519"), store._client):
        with pytest.raises(TypeError, match="never copied or pickled"):
            copying(each)


@pytest.mark.parametrize(
    "uri",
    [
        "vault+https://",
        "vault+https://vault.example",
        "vault+https://vault.example/transit",
        "vault+https://vault.example/transit?token-file=token",
        "vault+https://vault.example/transit?token-file=/t&token=hvs.secret",
        "vault+https://vault.example/transit?token-file=/t&token-file=/u",
        "vault+https://user:hvs.secret@vault.example/transit?token-file=/t",
        "vault+https://vault.example/transit/../sys?token-file=/t",
        "vault+https://vault.example:port/transit?token-file=/t",
        "vault+https://vault.example/transit?token-file=/t&seconds=0",
        "vault+https://vault.example/transit?token-file=/t&seconds=nan",
        "vault+https://vault.example/transit?token-file=/t#part",
        "vault+https://[::1/transit?token-file=/t",
    ],
)
def test_an_address_that_is_wrong_is_told_without_quoting_it(tmp_path: Path, uri: str) -> None:
    with pytest.raises(KeystoreAddressError, match="the address of the key service is wrong") as caught:
        open_keystore(uri, key_encryption_key=tmp_path)
    assert "hvs.secret" not in str(caught.value)


def test_an_address_without_tls_is_none(tmp_path: Path) -> None:
    with pytest.raises(KeystoreAddressError, match="known schemes"):
        open_keystore("vault+http://vault.example/transit?token-file=/t", key_encryption_key=tmp_path)
