"""Canonical JSON: fixed vectors, what is refused, and properties over random values."""

import json
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import DEPTH_LIMIT, canonical, digest, parse
from ledger.errors import NotCanonicalError

VECTORS = Path(__file__).parent.parent / "vectors" / "canonical"
VALID = json.loads((VECTORS / "valid.json").read_text(encoding="utf-8"))
REFUSED = json.loads((VECTORS / "refused.json").read_text(encoding="utf-8"))

texts = st.text().map(lambda text: normalize("NFC", text))
integers = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize("vector", VALID, ids=lambda vector: vector["name"])
def test_the_bytes_of_a_value_never_change(vector: dict[str, Any]) -> None:
    assert canonical(vector["value"]).hex() == vector["canonical"]
    assert parse(bytes.fromhex(vector["canonical"])) == vector["value"]
    assert digest("yinxin/test/v1", vector["value"]) == vector["digest"]


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_bytes_that_canonical_would_not_write_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(NotCanonicalError) as refusal:
        parse(bytes.fromhex(vector["bytes"]))
    assert refusal.value.code == "not-canonical"
    assert refusal.value.zh
    assert str(refusal.value) == f"{refusal.value.zh} / {refusal.value.en}"


@pytest.mark.parametrize(
    "value",
    [
        1.0, float("nan"), 2**53, -(2**53), b"bytes", {1: "one"}, {"a": {2.5}}, "e\u0301", {"e\u0301": 1},
        "\ud800", {"\udfff": 1}, Ellipsis,
    ],
    ids=repr,
)  # fmt: skip
def test_values_outside_the_restricted_form_are_refused(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical({"member": [value]})


def test_the_largest_integers_pass() -> None:
    assert canonical([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_the_message_names_the_place_and_is_short() -> None:
    with pytest.raises(NotCanonicalError, match=r"\$\.a\[1\]\.b: found a value of type float"):
        canonical({"a": [0, {"b": 0.5}]})
    with pytest.raises(NotCanonicalError) as refusal:
        canonical({"x" * 10_000: 0.5})
    assert len(refusal.value.en) < 300


def test_nesting_is_bounded_for_writer_and_reader() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"]" * depth

    assert canonical(parse(nested(DEPTH_LIMIT))) == nested(DEPTH_LIMIT)
    for depth in (DEPTH_LIMIT + 1, 100_000):
        with pytest.raises(NotCanonicalError):
            parse(nested(depth))


@given(values)
def test_parse_gives_back_what_canonical_wrote(value: object) -> None:
    assert parse(canonical(value)) == value


@given(values)
def test_another_spelling_of_the_same_value_is_refused(value: object) -> None:
    spelled = json.dumps(value, ensure_ascii=True, separators=(", ", ": ")).encode()
    if spelled == canonical(value):
        assert parse(spelled) == value
    else:
        with pytest.raises(NotCanonicalError):
            parse(spelled)


@given(st.dictionaries(texts, integers, min_size=2, max_size=6))
def test_the_order_of_members_does_not_matter(members: dict[str, int]) -> None:
    backwards = dict(reversed(members.items()))
    assert canonical(backwards) == canonical(members)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_exactly_or_refused(data: bytes) -> None:
    try:
        value = parse(data)
    except NotCanonicalError:
        return
    assert canonical(value) == data


def test_the_domain_is_part_of_a_digest() -> None:
    assert digest("yinxin/a/v1", {}) != digest("yinxin/b/v1", {})


named_in_ascii = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text("abzAZ_09 \x7f\n", max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(values | named_in_ascii)
def test_the_interpreters_encoder_writes_what_the_library_writes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
