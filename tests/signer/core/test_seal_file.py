"""Measuring and embedding: one pass, one use of the key, nothing written that does not verify."""

import dataclasses
import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256

from signer import prepared_file
from signer.byte_layout import Layout
from signer.errors import PreparedFileError, ReserveOverflowError, SignatureMismatchError, SignerError
from signer.seal_file import embed, measure

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers, Signatory


Ready = tuple[Path, Path, Layout]


@pytest.fixture
def ready(desk: "Desk", papers: "Papers", tmp_path: Path) -> Ready:
    """A source, its prepared copy and the layout."""
    source = papers.typst()
    return source, tmp_path / "sealed.pdf", desk.prepare(source, tmp_path / "sealed.pdf")


def test_digests_and_lengths_are_those_of_the_bytes(
    desk: "Desk", ready: Ready, judges: "Judges", signatory: "Signatory"
) -> None:
    source, target, layout = ready
    prepared = desk.measure(source, target, layout, signatory)
    sealed = embed(prepared, signatory.sign(prepared.to_be_signed))
    data = target.read_bytes()
    assert sealed.digest == sha256(data).digest()
    assert sealed.length == len(data) == layout.length
    assert sealed.source_digest == sha256(source.read_bytes()).digest()
    assert sealed.source_length == source.stat().st_size
    assert sealed.byte_range_digest == sha256(judges.contents(target)[1]).digest()
    assert judges.byte_ranges(target) == [layout.byte_range]


def test_the_approved_bytes_stay_the_prefix(desk: "Desk", ready: Ready, signatory: "Signatory") -> None:
    source, target, layout = ready
    prepared = desk.measure(source, target, layout, signatory)
    embed(prepared, signatory.sign(prepared.to_be_signed))
    data, original = target.read_bytes(), source.read_bytes()
    assert data[: len(original)] == original
    assert data[len(original) : len(original) + 1] == b"\n"


def test_a_seal_uses_the_key_exactly_once(
    desk: "Desk", papers: "Papers", signatory: "Signatory", tmp_path: Path
) -> None:
    before = len(signatory.uses)
    desk.seal(papers.streams(), tmp_path / "sealed.pdf", signatory)
    assert len(signatory.uses) == before + 1


def test_embedding_does_not_read_the_file_again(
    desk: "Desk", ready: Ready, p256: "Signatory", monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target, layout = ready
    prepared = desk.measure(source, target, layout, p256)
    signature = p256.sign(prepared.to_be_signed)

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(prepared_file, "_hash", never)
    assert embed(prepared, signature).digest == sha256(target.read_bytes()).digest()


@pytest.mark.parametrize("wrong", ["garbage", "empty", "other-key", "other-message", "other-hash"])
def test_a_signature_that_does_not_verify_is_never_written(
    desk: "Desk", ready: Ready, p256: "Signatory", wrong: str
) -> None:
    source, target, layout = ready
    prepared = desk.measure(source, target, layout, p256)
    message = prepared.to_be_signed
    signature = {
        "garbage": b"\x30\x06\x02\x01\x01\x02\x01\x01",
        "empty": b"",
        "other-key": ec.generate_private_key(ec.SECP256R1()).sign(message, ec.ECDSA(SHA256())),
        "other-message": p256.sign(message + b" "),
        "other-hash": p256.key.sign(sha256(message).digest(), ec.ECDSA(SHA256())),
    }[wrong]
    before = target.read_bytes()
    with pytest.raises(SignatureMismatchError) as error:
        embed(prepared, signature)
    assert error.value.code == "signature-mismatch"
    assert target.read_bytes() == before


def test_an_rsa_signature_under_a_p256_certificate_is_refused(
    desk: "Desk", ready: Ready, p256: "Signatory", rsa3072: "Signatory"
) -> None:
    source, target, layout = ready
    prepared = desk.measure(source, target, layout, p256)
    signature = rsa3072.key.sign(prepared.to_be_signed, padding.PKCS1v15(), SHA256())
    with pytest.raises(SignatureMismatchError):
        embed(prepared, signature)
    with pytest.raises(SignatureMismatchError):
        embed(dataclasses.replace(prepared, algorithm="rsa3072-sha256"), signature)


def test_other_approved_bytes_are_refused_before_the_key(ready: Ready, p256: "Signatory") -> None:
    source, target, layout = ready
    with pytest.raises(PreparedFileError) as error:
        measure(target, layout, source_digest=bytes(32), chain=p256.chain, algorithm=p256.algorithm)
    assert error.value.code == "source-changed"
    assert sha256(source.read_bytes()).hexdigest() in error.value.en


def test_a_prefix_changed_while_being_prepared_is_noticed(desk: "Desk", ready: Ready, p256: "Signatory") -> None:
    source, target, layout = ready
    data = bytearray(target.read_bytes())
    data[100] ^= 1
    target.write_bytes(data)
    with pytest.raises(PreparedFileError, match="approved was"):
        desk.measure(source, target, layout, p256)


@pytest.mark.parametrize(
    "change",
    [
        {"length": 1},
        {"contents_offset": 1},
        {"contents_length": -2},
        {"source_length": 10**9},
        {"byte_range": (0, 1, 2, 3)},
    ],
)
def test_a_layout_that_does_not_fit_the_file_is_refused(
    desk: "Desk", ready: Ready, p256: "Signatory", change: dict[str, int | tuple[int, ...]]
) -> None:
    source, target, layout = ready
    ((name, value),) = change.items()
    wrong = value if isinstance(value, tuple) else getattr(layout, name) + value
    with pytest.raises(PreparedFileError) as error:
        desk.measure(source, target, dataclasses.replace(layout, **{name: wrong}), p256)
    assert error.value.code == "layout-mismatch"


def test_a_place_that_is_not_empty_is_refused(desk: "Desk", ready: Ready, p256: "Signatory") -> None:
    source, target, layout = ready
    data = bytearray(target.read_bytes())
    data[layout.contents_offset + 9] = ord("1")
    target.write_bytes(data)
    with pytest.raises(PreparedFileError) as error:
        desk.measure(source, target, layout, p256)
    assert error.value.code == "layout-mismatch"


def test_a_chain_too_long_for_its_place_is_refused_before_the_key(ready: Ready, p256: "Signatory") -> None:
    source, target, layout = ready
    digest, uses = sha256(source.read_bytes()).digest(), len(p256.uses)
    with pytest.raises(ReserveOverflowError) as error:
        measure(target, layout, source_digest=digest, chain=p256.chain * 20, algorithm=p256.algorithm)
    assert error.value.code == "reserve-overflow"
    assert "16384" in error.value.en
    assert len(p256.uses) == uses


@pytest.mark.parametrize(
    ("chain", "algorithm", "code"),
    [((b"\x30\x00",), "ecdsa-p256-sha256", "certificate-unreadable"), (None, "sm2-sm3", "algorithm-unknown")],
)
def test_what_cannot_be_signed_with_is_refused_before_the_key(
    ready: Ready, p256: "Signatory", chain: tuple[bytes, ...] | None, algorithm: str, code: str
) -> None:
    source, target, layout = ready
    digest = sha256(source.read_bytes()).digest()
    with pytest.raises(SignerError) as error:
        measure(target, layout, source_digest=digest, chain=chain or p256.chain, algorithm=algorithm)
    assert error.value.code == code


def test_a_layout_crosses_a_process_border_as_json(ready: Ready) -> None:
    _, _, layout = ready
    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout
    with pytest.raises(KeyError):
        Layout.from_json({"byte_range": [0, 1, 2, 3]})
    with pytest.raises(ValueError, match="unpack"):
        Layout.from_json(layout.to_json() | {"byte_range": [0, 1]})
