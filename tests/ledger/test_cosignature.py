"""Witness cosignatures: fixed bytes, and nothing but a good line by a known witness counts."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from ledger_world import LogKey

from ledger.checkpoint import LogIdentity, open_checkpoint
from ledger.cosignature import WitnessIdentity, cosign, merge, read_cosignatures
from ledger.errors import CheckpointError

FOLDER = Path(__file__).parent.parent / "vectors" / "ledger"
VECTOR = json.loads((FOLDER / "cosignature.json").read_text(encoding="utf-8"))
LOG = LogIdentity.from_vkey(json.loads((FOLDER / "checkpoint.json").read_text(encoding="utf-8"))["vkey"])
WITNESS = WitnessIdentity.from_vkey(VECTOR["vkey"])
NOTE, LINE = VECTOR["note"], VECTOR["line"]
TIME = datetime.fromtimestamp(VECTOR["time"], UTC)


@pytest.fixture
def key() -> LogKey:
    return LogKey(bytes.fromhex(VECTOR["seed"]))


def test_a_cosignature_never_changes(key: LogKey) -> None:
    identity = WitnessIdentity.of_key(VECTOR["name"], key)
    assert identity == WITNESS
    assert identity.vkey == VECTOR["vkey"]
    assert cosign(NOTE, identity, key, TIME + timedelta(milliseconds=999)) == LINE
    assert key.uses == 1


def test_it_is_the_published_form() -> None:
    name, key_hash, data = VECTOR["vkey"].split("+", 2)
    assert b64decode(data)[0] == 4
    assert sha256(name.encode() + b"\n" + b64decode(data)).digest()[:4].hex() == key_hash
    raw = b64decode(LINE.rpartition(" ")[2])
    assert (raw[:4].hex(), int.from_bytes(raw[4:12], "big"), len(raw)) == (key_hash, VECTOR["time"], 76)


def test_the_note_with_it_reads_for_the_log_and_for_the_witness() -> None:
    cosigned = merge(NOTE, f"{LINE}\n")
    assert cosigned == f"{NOTE}{LINE}\n"
    assert merge(cosigned, f"{LINE}\n") == cosigned
    assert open_checkpoint(cosigned, LOG).size == 7
    (found,) = read_cosignatures(cosigned, [WITNESS])
    assert (found.witness, found.time) == (WITNESS, TIME)


def test_the_cosigner_need_not_know_the_extension_lines(key: LogKey) -> None:
    text, signatures = NOTE.split("\n\n")
    extended = f"{text}\nmore\n\n{signatures}"
    line = cosign(extended, WITNESS, key, TIME)
    assert line != LINE
    assert read_cosignatures(f"{extended}{line}\n", [WITNESS])
    assert not read_cosignatures(f"{NOTE}{line}\n", [WITNESS])


def altered(position: int) -> str:
    raw = bytearray(b64decode(LINE.rpartition(" ")[2]))
    raw[position] ^= 1
    return f"— {WITNESS.name} {b64encode(raw).decode()}"


@pytest.mark.parametrize(
    "line",
    [
        altered(0),
        altered(11),
        altered(75),
        LINE.replace("witness.example/w1", "witness.example/w2"),
        f"— {WITNESS.name} {b64encode(b64decode(LINE.rpartition(' ')[2])[:-1]).decode()}",
        f"— {WITNESS.name} {b64encode(WITNESS.key_hash + bytes([255]) * 72).decode()}",
        f"— {WITNESS.name} {b64encode(WITNESS.key_hash).decode()}",
    ],
    ids=["key-hash", "time", "signature", "name", "short", "far-future", "empty"],
)
def test_a_line_that_is_not_good_counts_for_nothing(line: str) -> None:
    cosigned = f"{NOTE}{line}\n"
    assert read_cosignatures(cosigned, [WITNESS]) == ()
    assert open_checkpoint(cosigned, LOG).size == 7


def test_one_witness_counts_once_and_by_its_earliest_time(key: LogKey) -> None:
    later = cosign(NOTE, WITNESS, key, TIME + timedelta(hours=1))
    found = read_cosignatures(f"{NOTE}{later}\n{LINE}\n", [WITNESS])
    assert [each.time for each in found] == [TIME]


def test_a_key_that_is_not_the_witness_is_noticed(log_key: LogKey) -> None:
    with pytest.raises(CheckpointError, match="the key is not that of"):
        cosign(NOTE, WITNESS, log_key, TIME)


@pytest.mark.parametrize("vkey", ["", LOG.vkey, VECTOR["vkey"].replace("w1", "w2"), VECTOR["vkey"][:-4]])
def test_a_key_of_another_kind_is_no_witness(vkey: str) -> None:
    with pytest.raises(CheckpointError):
        WitnessIdentity.from_vkey(vkey)
