"""A token's PIN, its absence and its return; the module missing, busy, or taken into another process."""

import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from pkcs11 import exceptions as ckr
from pkcs11.constants import TokenFlag
from softhsm import MODULE, SoftToken, make_token

from keystore import pin, pkcs11_module
from keystore.interface import (
    KeyNotFoundError,
    KeyNotWrittenError,
    KeyServiceBusyError,
    KeystoreError,
    KeyUnreadableError,
    ModuleGoneError,
    Permit,
    PinLockedError,
    PinWrongError,
    SigningKey,
    TokenAbsentError,
)
from keystore.pkcs11 import Pkcs11Keystore
from keystore.pkcs11_address import read_address
from keystore.pkcs11_errors import told

pytestmark = pytest.mark.tool("softhsm2-util")


def signs(key: SigningKey) -> bool:
    return len(key.sign(Permit.to_sign(key, b"m"), b"m")) > 0


def opened(uri: str) -> Pkcs11Keystore:
    return Pkcs11Keystore(read_address(uri))


def test_the_pin_is_read_from_the_environment(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_PIN", token.pin)
    assert signs(opened(token.uri_with("env:TOKEN_PIN")).generate("seal", "ed25519"))
    monkeypatch.delenv("TOKEN_PIN")
    with pytest.raises(PinWrongError, match="no PIN in env:TOKEN_PIN"):
        read_address(token.uri_with("env:TOKEN_PIN")).pin_source.read(token.label)


def test_a_person_is_asked_once_also_when_the_token_was_away(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(pin, "getpass", lambda text: asked.append(text) or token.pin)
    key = opened(token.uri_with("prompt")).generate("seal", "ed25519")
    with token.unplugged(), pytest.raises(TokenAbsentError):
        signs(key)
    assert signs(key)
    assert [token.label in text for text in asked] == [True]


def test_nobody_is_asked_where_there_is_no_terminal(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(PinWrongError, match="no terminal"):
        opened(token.uri_with("prompt"))


def test_a_wrong_pin_is_told_and_not_shown(token: SoftToken) -> None:
    wrong = f"{(int(token.pin) + 1) % 10**8:08}"
    token.pin_file.write_text(wrong)
    with pytest.raises(PinWrongError, match="PinIncorrect") as caught:
        opened(token.uri)
    assert caught.value.code == "pin-wrong"
    assert wrong not in repr(caught.value)
    assert wrong not in f"{caught.value.__context__!r}"


@pytest.mark.parametrize("content", ["", "\n", "1", "x" * 256])
def test_a_pin_that_cannot_be_one(token: SoftToken, content: str) -> None:
    token.pin_file.write_text(content)
    with pytest.raises(PinWrongError):
        opened(token.uri)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        pytest.param(lambda path: path.unlink(), PinWrongError, id="missing"),
        pytest.param(lambda path: path.chmod(0o640), KeyUnreadableError, id="readable-by-the-group"),
        pytest.param(lambda path: path.write_bytes(b"\xff"), PinWrongError, id="no-text"),
        pytest.param(lambda path: path.write_bytes(bytes(257)), KeyUnreadableError, id="too-long"),
    ],
)
def test_a_pin_file_that_is_no_good(
    token: SoftToken, spoil: Callable[[Path], object], error: type[KeystoreError]
) -> None:
    spoil(token.pin_file)
    with pytest.raises(error, match=str(token.pin_file)):
        opened(token.uri)


def test_a_refused_pin_is_not_tried_again_and_a_corrected_one_is(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "ed25519")
    token.pin_file.write_text("00000000" if token.pin != "00000000" else "11111111")
    with token.unplugged(), pytest.raises(TokenAbsentError):
        signs(key)
    with pytest.raises(PinWrongError, match="PinIncorrect"):
        signs(key)
    with pytest.raises(PinWrongError, match="not tried again"):
        signs(key)
    token.pin_file.write_text(token.pin)
    assert signs(key)


@pytest.mark.parametrize(
    ("flag", "said"),
    [(TokenFlag.USER_PIN_LOCKED, "security officer"), (TokenFlag.USER_PIN_FINAL_TRY, "one try left")],
    ids=["locked", "last-try"],
)
def test_a_pin_that_is_locked_or_about_to_be_is_not_tried(token: SoftToken, flag: TokenFlag, said: str) -> None:
    token.raise_flags(flag)
    with pytest.raises(PinLockedError, match=said) as caught:
        opened(token.uri)
    assert caught.value.code == "pin-locked"


def test_a_token_that_goes_and_comes_back(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "ecdsa-p256-sha256")
    unknown = "pkcs11:seal-" + "0" * 32
    with token.unplugged():
        for attempt in (
            lambda: signs(key),
            hsm.refs,
            lambda: hsm.open(unknown),  # not "not found": nobody can tell
            lambda: hsm.destroy(key.ref),
            lambda: hsm.generate("seal", "ed25519"),
        ):
            with pytest.raises(TokenAbsentError) as caught:
                attempt()
            assert caught.value.code == "token-absent"
    assert signs(key)
    assert hsm.refs() == [key.ref]
    with pytest.raises(KeyNotFoundError):
        hsm.open(unknown)


def test_a_token_that_is_away_when_nobody_looks_is_not_missed(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "ed25519")
    with token.unplugged():
        pass
    assert signs(key)


def test_another_token_of_the_same_label_is_another_token(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "ed25519")
    other = make_token(token.folder / "other", label=token.label)
    with token.unplugged(), other.configured(), pytest.raises(TokenAbsentError):
        signs(key)
    assert signs(key)


def test_no_token_of_this_name_and_two_of_it(token: SoftToken, tmp_path: Path) -> None:
    how = token.uri.partition("?")[2]
    other = make_token(tmp_path / "second")
    (moved,) = (other.folder / "tokens").iterdir()
    moved.rename(token.folder / "tokens" / moved.name)
    with pytest.raises(TokenAbsentError, match="0 tokens fit token=nobody"):
        opened(f"pkcs11:token=nobody?{how}")
    with pytest.raises(TokenAbsentError, match="0 tokens fit"):
        opened(f"pkcs11:token=yinxin%20test;model=other?{how}")
    with pytest.raises(TokenAbsentError, match="2 tokens fit"):
        opened(f"pkcs11:token=yinxin%20test?{how}")
    assert opened(token.uri).refs() == []


def test_two_tokens_in_one_process_share_the_module(token: SoftToken, tmp_path: Path) -> None:
    other = make_token(tmp_path / "second", label="second")
    (moved,) = (other.folder / "tokens").iterdir()
    moved.rename(token.folder / "tokens" / moved.name)
    one, two = opened(token.uri), opened(other.uri)
    keys = [each.generate("seal", "ed25519") for each in (one, two, one, two)]
    assert all(signs(key) for key in keys)
    assert one.refs() == sorted([keys[0].ref, keys[2].ref])
    assert two.refs() == sorted([keys[1].ref, keys[3].ref])
    assert all(signs(key) for key in keys)


@pytest.mark.parametrize("path", ["/nowhere/module.so", "/etc/hostname", "/usr/bin/env"])
def test_a_module_that_is_none(token: SoftToken, path: str) -> None:
    with pytest.raises(ModuleGoneError, match=path) as caught:
        opened(token.uri.replace(str(MODULE), path))
    assert caught.value.code == "module-gone"


def test_a_module_without_its_configuration(
    hsm: Pkcs11Keystore, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = hsm.generate("seal", "ed25519")
    with monkeypatch.context() as broken:
        broken.setenv("SOFTHSM2_CONF", "/nowhere.conf")
        for _ in range(2):
            with pytest.raises(ModuleGoneError):
                hsm.refs()
        with pytest.raises(KeystoreError):
            signs(key)
    assert signs(key)


def test_a_module_that_does_not_come_back_from_a_call(hsm: Pkcs11Keystore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = hsm.generate("seal", "ed25519")
    monkeypatch.setattr(pkcs11_module, "LONGEST_WAIT", 0.05)
    inside, leave = Event(), Event()

    def hang(current: object) -> None:
        inside.set()
        leave.wait(10)

    other = Thread(target=hsm._session.use, args=[hang])
    other.start()
    inside.wait(10)
    with pytest.raises(KeyServiceBusyError) as caught:
        signs(key)
    leave.set()
    other.join()
    assert caught.value.code == "key-service-busy"
    assert signs(key)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ckr.PinIncorrect(), PinWrongError),
        (ckr.PinLenRange(), PinWrongError),
        (ckr.UserPinNotInitialized(), PinWrongError),
        (ckr.PinLocked(), PinLockedError),
        (ckr.PinExpired(), PinLockedError),
        (ckr.DeviceRemoved(), TokenAbsentError),
        (ckr.TokenNotPresent(), TokenAbsentError),
        (ckr.SessionCount(), KeyServiceBusyError),
        (ckr.MechanismInvalid(), KeyNotWrittenError),
        (ckr.TokenWriteProtected(), KeyNotWrittenError),
        (ckr.DeviceError(), ModuleGoneError),
        (ckr.GeneralError(), ModuleGoneError),
        (ckr.HostMemory(), ModuleGoneError),
        (ckr.PKCS11Error("Unmapped error code 0x80000001"), ModuleGoneError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_what_a_module_answers_has_a_meaning(error: ckr.PKCS11Error, kind: type[KeystoreError]) -> None:
    meant = told(error, "token=seals")
    assert type(meant) is kind
    assert "token=seals" in meant.en
    assert (str(error) or type(error).__name__) in meant.zh
