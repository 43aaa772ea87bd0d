"""GB 32100 and GB 11643 check characters, and the keyed hash of a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import RecordInvalidError
from registry.natural_person import identity_check_character, natural_person
from registry.organ_code import ALPHABET, check_character, check_organ_code

SECRET = bytes(range(32))


def test_example_of_the_standard():
    assert check_organ_code("91350100M000100Y43") == "91350100M000100Y43"
    assert check_character("91350100M000100Y4") == "3"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91350100M000100Y44", "校验码应为 3"),
        ("91350100M000100Y4", "18 characters"),
        ("91350100M000100Y433", "18 characters"),
        ("91350100I000100Y43", "18位"),
        ("91350100m000100y43", "capitals"),
        ("９1350100M000100Y43", "18 characters"),
        ("", "18 characters"),
    ],
)
def test_wrong_code_is_named(code, expected):
    with pytest.raises(ValueError, match=expected):
        check_organ_code(code)


@given(st.text(alphabet=ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_noticed(first, place, other):
    code = first + check_character(first)
    assert check_organ_code(code) == code
    changed = code[:place] + other + code[place + 1 :]
    if changed != code:
        with pytest.raises(ValueError, match="check character"):
            check_organ_code(changed)


def test_natural_person_is_keyed_and_the_same_for_every_spelling():
    one = natural_person("11010519491231002x", SECRET)
    assert one == natural_person(" 11010519491231002X ", SECRET)
    assert one != natural_person("11010519491231002X", SECRET[::-1])
    assert one.startswith("hmac-sha256:")
    assert len(one) == len("hmac-sha256:") + 64


def test_natural_person_is_fixed_for_ever():
    """Stored rows hold this value: another one would make one human two."""
    assert identity_check_character("11010519491231002") == "X"
    assert natural_person("11010519491231002X", SECRET) == (
        "hmac-sha256:a346b6c0c6979d5642b2f7432929cfc23bcd59aae4e6a97c2c4d307a3949861f"
    )


@pytest.mark.parametrize("number", ["110105194912310021", "1101051949123100", "", "11010519491231OO2X"])
def test_wrong_identity_number_is_refused_and_never_repeated(number):
    with pytest.raises(RecordInvalidError) as caught:
        natural_person(number, SECRET)
    assert caught.value.code == "identity-number-invalid"
    assert number == "" or number not in str(caught.value)


def test_short_secret_is_refused():
    with pytest.raises(ValueError, match="31 bytes"):
        natural_person("11010519491231002X", SECRET[1:])
