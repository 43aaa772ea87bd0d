"""Signed notes: fixed bytes, other signatures kept, and everything malformed refused."""

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from ledger_world import LogKey

from keystore.interface import PermitError
from ledger.checkpoint import Checkpoint, LogIdentity, open_checkpoint, sign_checkpoint
from ledger.errors import CheckpointError

VECTOR = json.loads(
    (Path(__file__).parent.parent / "vectors" / "ledger" / "checkpoint.json").read_text(encoding="utf-8")
)
IDENTITY = LogIdentity.from_vkey(VECTOR["vkey"])
NOTE = VECTOR["note"]


def test_the_note_of_a_head_never_changes(log_key: LogKey) -> None:
    identity = LogIdentity.of_key(VECTOR["origin"], log_key)
    checkpoint = Checkpoint(origin=VECTOR["origin"], size=VECTOR["size"], root=bytes.fromhex(VECTOR["root"]))
    assert sign_checkpoint(checkpoint, identity, log_key) == NOTE
    assert identity.vkey == VECTOR["vkey"]
    assert open_checkpoint(NOTE, identity) == checkpoint
    assert log_key.uses == 1


def test_the_key_hash_is_that_of_signed_note() -> None:
    name, key_hash, data = VECTOR["vkey"].split("+", 2)
    assert b64decode(data)[0] == 1
    assert sha256(name.encode() + b"\n" + b64decode(data)).digest()[:4].hex() == key_hash


def test_cosignatures_by_others_are_kept_and_not_judged() -> None:
    witness = b64encode(b"\x01\x02\x03\x04" + bytes(72)).decode()
    for note in (
        NOTE + f"— witness.example/w1 {witness}\n",
        NOTE.replace("\n\n", f"\n\n— witness.example/w1 {witness}\n"),
    ):
        assert open_checkpoint(note, IDENTITY).size == VECTOR["size"]


def test_extension_lines_are_signed_and_ignored(log_key: LogKey) -> None:
    class Extended(Checkpoint):
        def body(self) -> str:
            return super().body() + "extension line\n"

    note = sign_checkpoint(Extended(origin=IDENTITY.origin, size=3, root=bytes(32)), IDENTITY, log_key)
    assert open_checkpoint(note, IDENTITY) == Checkpoint(origin=IDENTITY.origin, size=3, root=bytes(32))


def body_of(note: str) -> str:
    return note.split("\n\n", maxsplit=1)[0] + "\n"


def changed(old: str, new: str) -> str:
    assert old in NOTE
    return NOTE.replace(old, new)


@pytest.mark.parametrize(
    "note",
    [
        "",
        body_of(NOTE),
        body_of(NOTE) + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "no signature line\n",
        changed("\n7\n", "\n8\n"),
        changed("— ", "- "),
        changed(IDENTITY.origin, "another.example/log"),
        NOTE.replace("\n", "\r\n"),
        NOTE[:-3] + "A\n",
    ],
)
def test_a_note_that_was_changed_is_refused(note: str) -> None:
    with pytest.raises(CheckpointError):
        open_checkpoint(note, IDENTITY)


def test_a_second_line_by_the_same_key_must_verify_too() -> None:
    forged = b64encode(IDENTITY.key_hash + bytes(64)).decode()
    with pytest.raises(CheckpointError, match="not valid"):
        open_checkpoint(NOTE + f"— {IDENTITY.origin} {forged}\n", IDENTITY)


@pytest.mark.parametrize(
    "body",
    [
        "{origin}\n7\n",
        "{origin}\n07\n{root}\n",
        "{origin}\n-7\n{root}\n",
        "{origin}\n7 \n{root}\n",
        "{origin}\n7\n{short}\n",
        "{origin}\n7\nnot base64!\n",
        "{origin}\n7\n{root}\n\nextension\n",
        "{origin}\n7\n{root}\next\x07ension\n",
        "another.example/log\n7\n{root}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(log_key: LogKey, body: str) -> None:
    class Odd(Checkpoint):
        def body(self) -> str:
            root, short = b64encode(bytes(32)).decode(), b64encode(bytes(31)).decode()
            return body.format(origin=IDENTITY.origin, root=root, short=short)

    with pytest.raises(CheckpointError):
        sign_checkpoint(Odd(origin=IDENTITY.origin, size=7, root=bytes(32)), IDENTITY, log_key)


def test_a_note_by_another_key_under_our_name_is_refused(other_key: LogKey) -> None:
    other = LogIdentity.of_key(IDENTITY.origin, other_key)
    note = sign_checkpoint(Checkpoint(origin=IDENTITY.origin, size=1, root=bytes(32)), other, other_key)
    with pytest.raises(CheckpointError, match="no signature by"):
        open_checkpoint(note, IDENTITY)


def test_a_key_that_answers_with_garbage_is_noticed(log_key: LogKey) -> None:
    log_key.sign = lambda permit, message: bytes(64)
    with pytest.raises(CheckpointError, match="not valid"):
        sign_checkpoint(Checkpoint(origin=IDENTITY.origin, size=1, root=bytes(32)), IDENTITY, log_key)


def test_each_signature_needs_a_permit_of_its_own(log_key: LogKey) -> None:
    sign_checkpoint(Checkpoint(origin=IDENTITY.origin, size=1, root=bytes(32)), IDENTITY, log_key)
    used = log_key.permits[0]
    with pytest.raises(PermitError):
        log_key.sign(used, b"another message")


@pytest.mark.parametrize(
    "vkey", ["", "a+b", VECTOR["vkey"][:-4], VECTOR["vkey"].replace("+", "+0", 1), "a+00000000+AAAA"]
)
def test_a_malformed_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(CheckpointError):
        LogIdentity.from_vkey(vkey)


@pytest.mark.parametrize("origin", ["", "with space", "with+plus", "line\nbreak"])
def test_an_origin_that_breaks_the_note_format_is_refused(origin: str) -> None:
    with pytest.raises(CheckpointError):
        LogIdentity(origin=origin, public_key=bytes(32))


def test_a_key_of_another_algorithm_is_no_log_key(log_key: LogKey) -> None:
    log_key.algorithm = "ecdsa-p256-sha256"
    with pytest.raises(CheckpointError, match="ed25519 expected"):
        LogIdentity.of_key("yinxin.example/log", log_key)
    with pytest.raises(CheckpointError, match="31 bytes"):
        LogIdentity(origin="a", public_key=bytes(31))
