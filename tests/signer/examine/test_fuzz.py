"""Damaged files: a typed refusal or an examination, never another error."""

import random
from pathlib import Path

import pytest
from builders import Sheet, compressed, escaped, plain
from features import ASSOCIATED, PASSING, REFUSED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer.errors import DocumentRejectedError
from signer.examine import Examination, examine
from signer.normalise import normalise

SEEDS = [
    *(plain(sheet.objects()) for _, sheet in PASSING),
    *(compressed(feature.sheet.objects()) for feature in REFUSED[::3]),
    *(plain(escaped(feature.sheet.objects(), feature.names)) for feature in REFUSED[1::3]),
    plain(ASSOCIATED.objects()),
]
TOKENS = (
    b"/Kids",
    b"/Parent",
    b"/Type",
    b"0 R",
    b"null",
    b"<<",
    b">>",
    b"[",
    b"]",
    b"stream",
    b"/Length",
    b"-1",
    b"99999999999999999999",
)


def damaged(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(out))
        match chance.randint(0, 3):
            case 0:
                out[at] = chance.randrange(256)
            case 1:
                del out[at : at + chance.randint(1, 30)]
            case 2:
                token = chance.choice(TOKENS)
                out[at : at + len(token)] = token
            case 3:
                out[at:at] = out[chance.randrange(len(out)) :][:40]
    return bytes(out)


@pytest.mark.parametrize("seed", range(400))
def test_damage_gives_a_typed_answer(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "damaged.pdf"
    path.write_bytes(damaged(SEEDS[seed % len(SEEDS)], seed))
    try:
        assert isinstance(examine(path), Examination)
    except DocumentRejectedError:
        return


@pytest.mark.parametrize("seed", range(0, 400, 4))
def test_normalise_of_damage_gives_a_typed_answer(tmp_path: Path, seed: int) -> None:
    path, target = tmp_path / "damaged.pdf", tmp_path / "clean.pdf"
    path.write_bytes(damaged(SEEDS[seed % len(SEEDS)], seed))
    try:
        normalise(path, target)
    except DocumentRejectedError:
        assert not target.exists()


VALUES = st.recursive(
    st.sampled_from([b"null", b"true", b"0", b"-1", b"1.5", b"3 0 R", b"99 0 R", b"/Name", b"(text)", b"<ff>"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: b"[" + b" ".join(items) + b"]"),
        st.lists(
            st.tuples(st.sampled_from([b"/S", b"/Type", b"/Rect", b"/V", b"/FT", b"/F", b"/AP"]), inner), max_size=4
        ).map(lambda items: b"<<" + b" ".join(key + b" " + value for key, value in items) + b">>"),
    ),
    max_leaves=8,
)
KEYS = (
    b"/AA",
    b"/AcroForm",
    b"/Metadata",
    b"/OutputIntents",
    b"/Names",
    b"/AF",
    b"/OpenAction",
    b"/Subtype",
    b"/BaseFont",
    b"/Fields",
    b"/DR",
    b"/XFA",
    b"/V",
    b"/TR",
    b"/Ref",
    b"/EF",
    b"/OPI",
    b"/Annots",
    b"/Contents",
    b"/CropBox",
    b"/Rotate",
    b"/UserUnit",
    b"/Filter",
    b"/FontDescriptor",
    b"/Lock",
    b"/ByteRange",
    b"/Collection",
    b"/OCGs",
    b"/F",
    b"/AP",
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    catalog=st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=3),
    page=st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=3),
    extra=VALUES,
)
def test_values_of_a_wrong_type_give_a_typed_answer(
    tmp_path: Path, catalog: list[tuple[bytes, bytes]], page: list[tuple[bytes, bytes]], extra: bytes
) -> None:
    def written(pairs: list[tuple[bytes, bytes]]) -> bytes:
        return b"".join(key + b" " + value for key, value in dict(pairs).items())

    path = tmp_path / "odd.pdf"
    path.write_bytes(plain(Sheet(catalog=written(catalog), page=written(page), extra={10: extra}).objects()))
    try:
        assert examine(path).length == path.stat().st_size
    except DocumentRejectedError:
        return
