"""What a password must be, and that it is checked as typed, at equal cost for nobody."""

from time import perf_counter

import pytest

from accounts.errors import ChoiceError
from accounts.passwords import LONGEST, SHORTEST, Passwords, check_choice

GOOD = "两岸猿声啼不住轻舟已过万重山"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(rounds=1, memory=8, lanes=1)


def test_the_right_password_matches_and_no_other(passwords: Passwords) -> None:
    stored = passwords.make(GOOD, "li.hong")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, GOOD)
    assert not passwords.matches(stored, GOOD + "。")
    assert passwords.make(GOOD, "li.hong") != stored


def test_width_does_not_matter(passwords: Passwords) -> None:
    stored = passwords.make("Ｐａｓｓ－ｐｈｒａｓｅ４２", "li.hong")
    assert passwords.matches(stored, "Pass-phrase42")


@pytest.mark.parametrize(
    "password",
    [
        "x" * (SHORTEST - 1),
        "abcdefg",
        "ab" * (LONGEST // 2) + "cde",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "Li.Hong@bureau",
        "LI.HONG＠BUREAU",
        "QwertyUiop123",
        "1qaz2wsx3edc",
        "a good one but\x00",
        "",
    ],
)
def test_a_weak_choice_is_refused_without_repeating_it(password: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        check_choice(password, "li.hong@bureau")
    assert refused.value.code == "password-refused"
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("password", [GOOD, "x1y2z3" * 2, "correct horse battery", "甲" * 8 + "乙丙丁戊"])
def test_a_fair_choice_is_taken(password: str) -> None:
    check_choice(password, "li.hong")


def test_the_shortest_and_longest_are_taken() -> None:
    check_choice("abcde" + "f" * (SHORTEST - 5), "n")
    check_choice("abcde" + "f" * (LONGEST - 5), "n")


@pytest.mark.parametrize("text", ["", "x" * 10_000, "\ud800" * 12, "\x00"])
def test_what_cannot_be_a_password_does_not_match(passwords: Passwords, text: str) -> None:
    assert not passwords.matches(passwords.make(GOOD, "n"), text)
    assert not passwords.matches(None, text)


def test_nobody_has_no_password_at_all(passwords: Passwords) -> None:
    assert not passwords.matches(None, "the password of no account")


def test_other_parameters_are_noticed_and_still_match(passwords: Passwords) -> None:
    stronger = Passwords(rounds=2, memory=16, lanes=1)
    stored = passwords.make(GOOD, "n")
    assert stronger.stale(stored)
    assert stronger.matches(stored, GOOD)
    assert not stronger.stale(stronger.remake(GOOD))


def test_an_unknown_name_costs_what_a_known_one_costs() -> None:
    slow = Passwords(rounds=4, memory=32_768, lanes=1)
    stored = slow.make(GOOD, "n")

    def cost(of: str | None) -> float:
        taken = []
        for _ in range(3):
            began = perf_counter()
            slow.matches(of, "not the password")
            taken.append(perf_counter() - began)
        return min(taken)

    known, unknown = cost(stored), cost(None)
    assert known / 3 < unknown < known * 3
