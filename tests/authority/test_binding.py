"""The seal extension: fixed bytes, exact roundtrip, and nothing else is read."""

import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from asn1crypto import core
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from authority import oids
from authority.binding import SealBinding, read_binding
from authority.errors import BindingError, ProfileError

if TYPE_CHECKING:
    from tests.authority.conftest import Authority, Mint

VECTOR = Path(__file__).parent.parent / "vectors" / "authority" / "seal_binding_v1.json"


def test_the_bytes_of_version_1_never_change() -> None:
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    binding = SealBinding(**vector["binding"])
    assert binding.to_der().hex() == vector["der"]
    assert SealBinding.from_der(bytes.fromhex(vector["der"])) == binding


def test_the_identifiers_never_change() -> None:
    assert oids.SEAL_BINDING == "2.25.118067331048530164478885955601400353714"
    assert oids.EMBEDDED_POLICY == "2.25.52691201630236733787077774167737145566"


def test_the_document_names_the_same_identifiers() -> None:
    document = (Path(__file__).parents[2] / "docs" / "oids.md").read_text(encoding="utf-8")
    for oid in (oids.SEAL_BINDING, oids.EMBEDDED_POLICY, oids.DOCUMENT_SIGNING):
        assert f" {oid} " in document


texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=60)
numbers = st.integers(min_value=1, max_value=2**31 - 1)
digests = st.binary(min_size=32, max_size=32).map(lambda value: f"sha256:{value.hex()}")
bindings = st.builds(
    SealBinding,
    agreement=texts,
    agreement_version=numbers,
    terms_digest=digests,
    grantor_code=texts,
    grantee_code=texts,
    grantee_name=texts,
    seal_name=texts,
    seal_number=numbers,
    log_origin=texts,
    log_key_hash=digests,
)


@given(bindings)
def test_what_was_written_is_read(binding: SealBinding) -> None:
    assert SealBinding.from_der(binding.to_der()) == binding


@given(bindings, st.data())
def test_a_changed_byte_is_another_binding_or_an_error(binding: SealBinding, data: st.DataObject) -> None:
    der = bytearray(binding.to_der())
    place = data.draw(st.integers(0, len(der) - 1))
    der[place] ^= data.draw(st.integers(1, 255))
    with suppress(BindingError):
        assert SealBinding.from_der(bytes(der)) != binding


@given(st.binary(max_size=200))
def test_rubbish_is_a_typed_error(value: bytes) -> None:
    with pytest.raises(BindingError):
        SealBinding.from_der(value)


def encoded(binding: SealBinding, **changed: object) -> bytes:
    """The binding as a SEQUENCE written by hand, field by field."""
    fields = {"version": 1, **asdict(binding), **changed}
    parts = [core.Integer(each) if isinstance(each, int) else core.UTF8String(each) for each in fields.values()]
    content = b"".join(part.dump() for part in parts)
    return b"\x30\x82" + len(content).to_bytes(2) + content


def test_by_hand_it_comes_out_the_same(binding: SealBinding) -> None:
    assert encoded(binding) == binding.to_der()


def test_another_version_is_named(binding: SealBinding) -> None:
    with pytest.raises(BindingError, match="version 2, expected 1") as caught:
        SealBinding.from_der(encoded(binding, version=2))
    assert caught.value.code == "binding-version"


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": "field"},
        {"terms_digest": "sha256:short"},
        {"seal_number": 0},
        {"seal_number": -5},
        {"grantee_name": ""},
        {"seal_name": "x" * 513},
        {"log_origin": "two\nlines"},
    ],
)
def test_a_well_formed_but_wrong_content_is_refused(binding: SealBinding, changed: dict[str, object]) -> None:
    with pytest.raises(BindingError) as caught:
        SealBinding.from_der(encoded(binding, **changed))
    assert caught.value.code == "binding-malformed"


def test_text_after_the_end_and_long_form_lengths_are_refused(binding: SealBinding) -> None:
    der = binding.to_der()
    long_form = b"\x30\x83\x00" + der[2:]
    for wrong in (der + b"\x00", der[:-1], long_form, b"\x30\x80" + der[4:] + b"\x00\x00", der * 40):
        with pytest.raises(BindingError):
            SealBinding.from_der(wrong)


def test_the_longest_binding_is_read_and_longer_input_is_not_even_parsed(binding: SealBinding) -> None:
    texts = ("agreement", "grantor_code", "grantee_code", "grantee_name", "seal_name", "log_origin")
    longest = SealBinding(**asdict(binding) | dict.fromkeys(texts, "𠮷" * 512))
    assert SealBinding.from_der(longest.to_der()) == longest
    with pytest.raises(BindingError, match="16385 bytes, at most 16384"):
        SealBinding.from_der(longest.to_der().ljust(16385, b"\x00"))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("agreement", "", "binding-text"),
        ("grantee_name", "兴国县\u202e行政审批局", "binding-text"),
        ("grantee_name", None, "binding-text"),
        ("seal_name", "章" * 513, "binding-text"),
        ("agreement_version", 0, "binding-number"),
        ("seal_number", True, "binding-number"),
        ("seal_number", "12", "binding-number"),
        ("seal_number", 2**31, "binding-number"),
        ("terms_digest", "sha256:" + "A" * 64, "binding-digest"),
        ("terms_digest", "0a" * 32, "binding-digest"),
        ("log_key_hash", "0a0b0c0d", "binding-digest"),
    ],
)
def test_a_wrong_value_never_becomes_a_binding(binding: SealBinding, name: str, value: object, code: str) -> None:
    with pytest.raises(ProfileError, match=name) as caught:
        replace(binding, **{name: value})  # type: ignore[arg-type]  # the wrong value is the point
    assert caught.value.code == code


def test_a_certificate_without_the_extension_has_no_binding(authority: "Authority", mint: "Mint") -> None:
    assert read_binding(mint("foreign").certificate) is None
    assert read_binding(authority.issuer) is None


def test_a_certificate_with_rubbish_in_the_extension_is_an_error(mint: "Mint") -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.SEAL_BINDING), b"\x30\x00")
    forged = mint("forged", extra=((extension, False),)).certificate
    with pytest.raises(BindingError):
        read_binding(forged)
