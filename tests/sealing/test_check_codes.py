"""Check codes: random, read back from what people type, and never half understood."""

import re

import pytest

from sealing.check_codes import ALPHABET, check_subject, new_check_code, parse_check_code
from sealing.errors import OrderError


def test_codes_are_of_one_form_and_differ():
    codes = [new_check_code() for _ in range(500)]

    assert all(re.fullmatch(rf"([{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}", code) for code in codes)
    assert len(set(codes)) == 500
    assert {letter for code in codes for letter in code} == {*ALPHABET, "-"}


@pytest.mark.parametrize(
    "typed",
    [
        "01AB-CDEF-GH10-XYZ9",
        "01abcdefgh10xyz9",
        "  o1ab cdef ghlO xyz9 ",
        "OIab-cdef-ghIo-xyz9",
        "０１ＡＢ－ＣＤＥＦ－ＧＨ１０－ＸＹＺ９",
        "01AB–CDEF—GH10\n-XYZ9",
    ],
    ids=["given_out", "bare", "blanks", "look_alikes", "full_width", "long_dashes"],
)
def test_what_people_type_is_the_code_that_was_given_out(typed):
    assert parse_check_code(typed) == "01AB-CDEF-GH10-XYZ9"


@pytest.mark.parametrize(
    "typed",
    ["", "01AB-CDEF-GH10-XYZ", "01AB-CDEF-GH10-XYZ99", "01AB-CDEF-GH10-XYZU", "01AB_CDEF_GH10_XYZ9", "0" * 5000],
    ids=["empty", "short", "long", "letter_u", "underscores", "endless"],
)
def test_anything_else_is_told(typed):
    with pytest.raises(OrderError) as raised:
        parse_check_code(typed)

    assert raised.value.code == "check-code-malformed"
    assert len(raised.value.en) < 400


def test_the_subject_follows_from_the_code_alone():
    code = new_check_code()

    assert check_subject(code) == check_subject(code)
    assert check_subject(code).startswith("chk-")
    assert check_subject(code) != check_subject(new_check_code())
    assert code.replace("-", "").lower() not in check_subject(code)
