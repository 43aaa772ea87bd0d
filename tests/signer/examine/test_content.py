"""When a page is looked at closely: operators as whole words, outside strings and comments."""

import pytest

from signer.examination.content import gives_reason

SHOWN = b"\nBT (AB) Tj ET "


@pytest.mark.parametrize(
    "later",
    [
        b"0 0 9 9 re f",
        b"0 0 9 9 re f*",
        b"0 0 9 9 re F ",
        b"0 0 9 9 re B*",
        b"0 0 9 9 re b",
        b"/P sh",
        b"/Im Do",
        b"BI /W 1 ID x EI",
        b"0 0 9 9 re\x00f\x00",
        b"[]f",
        b"<>f%",
        b"/A f",
        b"3 Tr",
        b"7 Tr",
        b"0  Tr",
        b"3.0 Tr",
        b"(((((deep))%))) f",
        b"%(\nf\n%)",
        b"(a\\)) f",
        b"(\\\\) f (x)",
        b"3 Tr(x)Tj",
        b"1 g (A) Tj",
        b"1.0 1 1 rg",
        b"1 scn",
        b"0 0 0 0 k",
    ],
)
def test_paint_after_text_is_a_reason(later: bytes) -> None:
    assert gives_reason(SHOWN + later)


@pytest.mark.parametrize(
    "later",
    [
        b"",
        b"0 0 m 9 9 l S",
        b"/f gs",
        b"1 0 0 rg",
        b"(f ) Tj",
        b"[(\x00f\x00)-3( B )] TJ",
        b"% f B Do\n",
        b"<0f> Tj",
        b"0 Tr",
        b"2 Tr",
        b"(a (nested f ) b) Tj",
        b"(\\( f ) Tj",
        b"EMC /F1 12 Tf",
        b"0.1 g",
        b"0 1 1 rg",
        b"0 0 0 1 k",
    ],
)
def test_plain_text_and_lines_are_not(later: bytes) -> None:
    assert not gives_reason(SHOWN + later)


def test_paint_before_any_text_is_not() -> None:
    assert not gives_reason(b"\n0 0 9 9 re f 0 0 5 5 re B* /Im Do" + SHOWN)
