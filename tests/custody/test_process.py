"""A real custody process over its socket: what it does, what it refuses, and what is left when it is killed."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from custody_process import client, command, eventually, running, settings_in, sign
from softhsm import make_token

from custody.client import CustodyKeystore
from custody.connection import Connection, on_demand, to_address
from custody.errors import CustodyError, CustodyRefusedError
from custody.permits import grant
from custody.process import folder_of
from custody.settings import Address, ProcessSettings, Step
from custody.uses import read_uses
from keystore.interface import (
    Grounds,
    GroundsError,
    KeyNotFoundError,
    KeyServiceBusyError,
    KeyServiceGoneError,
    KeyServiceTimeoutError,
    KeystoreError,
    Permit,
    PinWrongError,
)

HANGING = ", opening=lambda: made.open_slow(settings)"
NOBODY = 65534


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessSettings]:
    settings = settings_in(tmp_path_factory.mktemp("shared"))
    with running(settings):
        yield settings


@pytest.fixture
def keystore(shared: ProcessSettings) -> Iterator[CustodyKeystore]:
    with client(shared) as keystore:
        yield keystore


@pytest.fixture
def raw(shared: ProcessSettings) -> Iterator[Connection]:
    connection = to_address(Address.read(shared.listen))()
    connection.channel.socket.settimeout(10)
    yield connection
    connection.close()


def ask(connection: Connection, **asked: Any) -> dict[str, Any]:
    assert connection.channel.send(asked)
    received = connection.channel.receive()
    assert received is not None
    return received[0]


def asked_to_sign(connection: Connection, key: str, message: bytes = b"m", **changed: Any) -> dict[str, Any]:
    terms: dict[str, Any] = {"key": key, "purpose": "seal", "message": message, "now": datetime.now(UTC), **changed}
    permit = grant(connection.secret, connection.boot, **terms)
    return {"ask": "sign", "key": key, "message": b64encode(message).decode(), "permit": permit}


def use_lines(settings: ProcessSettings) -> list[Any]:
    return [each for each in read_uses(settings.home / "uses") if each.event == "use"]


def test_a_signature_verifies_with_the_key_that_was_told(keystore: CustodyKeystore) -> None:
    key = keystore.generate("seal", "ecdsa-p256-sha256")
    public = load_der_public_key(key.public_key)
    assert isinstance(public, EllipticCurvePublicKey)
    public.verify(sign(keystore, key.ref, b"a message"), b"a message", ECDSA(SHA256()))


def test_each_use_is_recorded_before_it_is_answered(shared: ProcessSettings, keystore: CustodyKeystore) -> None:
    key = keystore.generate("ca", "ecdsa-p256-sha256")
    before = len(list(keystore.uses_after(0)))
    sign(keystore, key.ref, b"certificate 7")
    (line,) = keystore.uses_after(before)
    assert (line.event, line.key, line.purpose) == ("use", key.ref, "ca")
    assert line.about == {"serial": "certificate 7"}
    assert line in read_uses(shared.home / "uses")


def test_grounds_and_the_file_reach_the_checks(keystore: CustodyKeystore, tmp_path: Path) -> None:
    key = keystore.generate("seal", "ecdsa-p256-sha256")
    file = tmp_path / "prepared"
    file.write_bytes(b"the prepared file")
    grounds = Grounds(statement={"intent": 7, "seal": "印章"}, file=file)
    key.sign(Permit.to_sign(key, b"m", grounds), b"m")
    line = list(keystore.uses_after(0))[-1]
    assert line.about == {"serial": "m", "grounds": {"intent": 7, "seal": "印章"}, "file": "the prepared file"}


def test_what_the_checks_refuse_is_neither_used_nor_recorded(
    shared: ProcessSettings, keystore: CustodyKeystore
) -> None:
    key = keystore.generate("seal", "ecdsa-p256-sha256")
    before = len(use_lines(shared))
    with pytest.raises(GroundsError, match="refused by the test"):
        sign(keystore, key.ref, b"forbidden")
    assert len(use_lines(shared)) == before


def test_a_destroyed_key_is_gone_for_every_client_and_told_in_the_record(
    shared: ProcessSettings, keystore: CustodyKeystore
) -> None:
    key = keystore.generate("seal", "ecdsa-p256-sha256")
    with client(shared) as other:
        handle = other.open(key.ref)
        destruction = keystore.destroy(key.ref)
        with pytest.raises(KeyNotFoundError):
            handle.sign(Permit.to_sign(handle, b"m"), b"m")
    with pytest.raises(KeyNotFoundError):
        keystore.open(key.ref)
    assert key.ref not in keystore.refs()
    line = list(keystore.uses_after(0))[-1]
    assert (line.event, line.key, line.about["evidence"]) == ("destruction", key.ref, dict(destruction.evidence))


def test_a_replayed_permit_is_refused(raw: Connection, keystore: CustodyKeystore) -> None:
    request = asked_to_sign(raw, keystore.generate("seal", "ecdsa-p256-sha256").ref)
    assert ask(raw, **request)["ok"] is True
    assert ask(raw, **request)["code"] == "permit"


CHANGED: dict[str, dict[str, Any]] = {
    "other key": {"key": "file:seal-" + "0" * 32},
    "other message": {"message": b"other"},
    "other purpose": {"purpose": "ca"},
    "expired": {"now": datetime.now(UTC) - timedelta(seconds=31)},
}


@pytest.mark.parametrize("changed", CHANGED.values(), ids=CHANGED)
def test_a_permit_for_something_else_is_refused(
    raw: Connection, shared: ProcessSettings, keystore: CustodyKeystore, changed: dict[str, Any]
) -> None:
    key = keystore.generate("seal", "ecdsa-p256-sha256").ref
    before = len(use_lines(shared))
    permit = {"key": key, "message": b"m", "purpose": "seal", "now": datetime.now(UTC), **changed}
    request = asked_to_sign(raw, key) | {"permit": grant(raw.secret, raw.boot, **permit)}
    assert ask(raw, **request)["code"] == "permit"
    assert len(use_lines(shared)) == before


def test_a_forged_permit_and_one_of_another_connection_are_refused(
    raw: Connection, shared: ProcessSettings, keystore: CustodyKeystore
) -> None:
    key = keystore.generate("seal", "ecdsa-p256-sha256").ref
    other = to_address(Address.read(shared.listen))()
    try:
        assert ask(raw, **asked_to_sign(other, key))["code"] == "permit"
        assert ask(raw, **asked_to_sign(replace(raw, secret=bytes(32)), key))["code"] == "permit"
        assert ask(raw, **asked_to_sign(replace(raw, boot="0" * 32), key))["code"] == "permit"
    finally:
        other.close()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"ask": "steal"},
        {"ask": "open"},
        {"ask": "open", "key": 7},
        {"ask": "open", "key": "../../etc/passwd"},
        {"ask": "generate", "purpose": "any", "algorithm": "ed25519"},
        {"ask": "generate", "purpose": "seal", "algorithm": "none"},
        {"ask": "sign", "key": "x", "message": "*"},
        {"ask": "uses", "after": -1},
        {"ask": "uses", "after": "0"},
    ],
    ids=str,
)
def test_bad_requests_get_a_typed_answer_and_the_connection_lives(raw: Connection, asked: dict[str, Any]) -> None:
    answer = ask(raw, **asked)
    assert answer["ok"] is False
    assert {answer["code"]} <= {"keystore", "key-not-found"}
    assert ask(raw, ask="ping") == {"ok": True}


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\x02[]",
        b"\0\0\0\x0d" + b'{"ask":0.500}',
        b'\0\0\0\x09{"file":1}'[:13],
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["too long", "no object", "a float", "file that did not come", "another protocol"],
)
def test_what_is_no_frame_ends_the_connection_and_nothing_else(
    raw: Connection, keystore: CustodyKeystore, frame: bytes
) -> None:
    raw.channel.socket.sendall(frame)
    raw.channel.socket.shutdown(socket.SHUT_WR)
    with suppress(ConnectionResetError):  # where it closed before it had read everything
        assert raw.channel.receive() is None
    keystore.ping()


def test_a_pipe_in_the_place_of_the_file_is_not_read(raw: Connection, keystore: CustodyKeystore) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb"):
        raw.channel.send({"ask": "ping"}, pipe)
        with suppress(ConnectionResetError):
            assert raw.channel.receive() is None
    keystore.ping()


def test_many_clients_at_once(shared: ProcessSettings) -> None:
    before = len(use_lines(shared))
    with client(shared, seconds=10) as keystore, ThreadPoolExecutor(8) as threads:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        public = load_der_public_key(key.public_key)
        assert isinstance(public, EllipticCurvePublicKey)
        messages = [f"message {number}".encode() for number in range(80)]
        for message, signature in zip(
            messages, threads.map(lambda each: sign(keystore, key.ref, each), messages), strict=True
        ):
            public.verify(signature, message, ECDSA(SHA256()))
    assert len(use_lines(shared)) == before + 80


def test_the_socket_is_for_its_owner_and_the_address_may_be_long(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    settings = settings_in(folder)
    with running(settings), client(settings) as keystore:
        assert Path(settings.listen).stat().st_mode & 0o777 == 0o600
        assert keystore.generate("seal", "ecdsa-p256-sha256").ref in keystore.refs()


def test_a_second_process_does_not_take_the_folder(shared: ProcessSettings) -> None:
    """It waits a while, lest one that is about to end is in the way."""
    second = subprocess.run(command(shared), capture_output=True, text=True, timeout=60, check=False)
    assert "CustodyRunsError" in second.stderr
    with client(shared) as keystore:
        keystore.ping()


def test_its_memory_and_core_are_closed_to_others(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with running(settings) as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"]
        status = Path(f"/proc/{process.pid}").stat()
        assert (status.st_uid, status.st_gid) == (0, 0)  # not dumpable: proc(5)
        if os.geteuid() != 0:
            with pytest.raises(PermissionError):
                os.open(f"/proc/{process.pid}/mem", os.O_RDONLY)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.parametrize(("users", "let_in"), [((1,), False), ((NOBODY,), True)], ids=["refused", "listed"])
def test_only_listed_users_may_connect(tmp_path: Path, users: tuple[int, ...], let_in: bool) -> None:
    with tempfile.TemporaryDirectory() as open_folder:
        Path(open_folder).chmod(0o755)
        settings = settings_in(tmp_path, listen=f"{open_folder}/custody.sock", users=users)
        with running(settings), folder_of(Path(settings.listen)):
            code = (
                "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                "n = int.from_bytes(s.recv(4), 'big'); print(s.recv(n).decode())"
            )
            asked = subprocess.run(
                ["/usr/bin/env", "python3", "-I", "-c", code, settings.listen],
                user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, timeout=60, check=False,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, cwd="/",
            )  # fmt: skip
    assert ('"secret"' in asked.stdout, CustodyRefusedError.code in asked.stdout) == (let_in, not let_in), asked.stderr


STEPS: tuple[Step, ...] = get_args(Step)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_record_is_well_formed_and_the_next_call_works(tmp_path: Path, step: Step) -> None:
    settings = settings_in(tmp_path, linger=1.0)
    keystore = CustodyKeystore(on_demand(settings, command), seconds=5)
    try:
        with running(replace(settings, kill_at=step)) as process:
            key = keystore.generate("seal", "ecdsa-p256-sha256")
            with pytest.raises(KeyServiceGoneError):
                sign(keystore, key.ref, b"first")
            assert process.wait(10) == -9
        assert sign(keystore, key.ref, b"second")
    finally:
        keystore.close()
    uses = [line.about["serial"] for line in use_lines(settings)]
    assert uses == (["second"] if step == "before_record" else ["first", "second"])


def test_a_hanging_module_gives_a_timeout_and_the_next_call_a_new_process(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, seconds=0.4, linger=1.0)
    with running(settings, HANGING) as process:
        keystore = CustodyKeystore(on_demand(settings, lambda each: command(each, HANGING)), seconds=0.4)
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        begun = time.monotonic()
        with pytest.raises(KeyServiceTimeoutError):
            sign(keystore, key.ref, b"hang")
        assert time.monotonic() - begun < 2
        assert process.wait(10) == 75
        assert sign(keystore, key.ref, b"m")
        keystore.close()


def test_who_waits_behind_a_hanging_call_is_told_that_nothing_was_signed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, seconds=0.6)
    with running(settings, HANGING), client(settings, seconds=0.6) as keystore, ThreadPoolExecutor(1) as threads:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        hanging = threads.submit(sign, keystore, key.ref, b"hang")
        assert eventually(lambda: len(use_lines(settings)) == 1)
        with pytest.raises(KeyServiceBusyError):
            sign(keystore, key.ref, b"m")
        with pytest.raises(KeyServiceTimeoutError):
            hanging.result()
    assert [line.about["serial"] for line in use_lines(settings)] == ["hang"]


def test_a_full_queue_is_busy_at_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, waiting=1)
    with running(settings, HANGING), client(settings) as keystore, ThreadPoolExecutor(2) as threads:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        slow = [threads.submit(sign, keystore, key.ref, b"slow 1")]
        assert eventually(lambda: len(use_lines(settings)) == 1)
        slow.append(threads.submit(sign, keystore, key.ref, b"slow 2"))
        time.sleep(0.1)
        begun = time.monotonic()
        with pytest.raises(KeyServiceBusyError):
            sign(keystore, key.ref, b"m")
        assert time.monotonic() - begun < 0.3
        assert all(each.result() for each in slow)


def test_a_process_that_stands_still_is_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custody.client.GRACE_SECONDS", 0.3)
    settings = settings_in(tmp_path)
    with running(settings) as process, client(settings, seconds=0.2) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(KeyServiceTimeoutError, match="may have been used"):
            sign(keystore, key.ref, b"m")


def test_a_changed_record_stops_the_process(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with running(settings), client(settings) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        sign(keystore, key.ref, b"m")
    record = settings.home / "uses"
    record.write_bytes(record.read_bytes().replace(b'"n":0', b'"n":2'))
    ended = subprocess.run(command(settings), capture_output=True, text=True, timeout=60, check=False)
    assert "UsesBrokenError" in ended.stderr


def test_a_key_encryption_key_is_made_only_where_there_has_never_been_a_key(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with running(settings), client(settings) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
    settings.key_encryption_key.unlink()
    with running(settings), client(settings) as keystore, pytest.raises(KeystoreError, match="does not exist"):
        keystore.open(key.ref)
    assert not settings.key_encryption_key.exists()


@pytest.mark.parametrize(
    "text", ["", "tls://host", "tls://:1", "http://host:1", "tls://host:1/x", "tls://u@host:1", "tls://h:99999"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CustodyError, match="expected"):
        Address.read(text)


def test_settings_travel_as_one_argument(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, tls=tmp_path, users=(1, 2), linger=3.0, kill_at="after_use", foreground=True)
    assert ProcessSettings.from_argument(settings.to_argument()) == settings


@pytest.mark.tool("softhsm2-util")
def test_a_wrong_pin_is_tried_once_and_a_corrected_one_is_taken_by_the_same_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_token(tmp_path / "token")
    for name, value in token.environment.items():
        monkeypatch.setenv(name, value)
    token.pin_file.write_text("not the PIN\n")
    settings = settings_in(tmp_path, keystore=token.uri)
    with running(settings) as process, client(settings) as keystore:
        for _ in range(5):  # SoftHSM does not lock, others do after three: only one of these reaches it
            with pytest.raises(PinWrongError) as caught:
                keystore.generate("seal", "ecdsa-p256-sha256")
            assert "not the PIN" not in str(caught.value)
        token.pin_file.write_text(f"{token.pin}\n")
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        assert sign(keystore, key.ref, b"m")
        assert process.poll() is None
