"""What was prepared for a shadow attack is never sealed; the same letter without it is."""

import pytest
from attacks.before_sealing import LINES, objections, prepared
from world import letter

MADE = prepared()


@pytest.mark.parametrize("name", MADE)
def test_is_not_sealed(name, tmp_path) -> None:
    assert objections(MADE[name](), tmp_path) != []


def test_the_letter_itself_may_be_sealed(tmp_path) -> None:
    assert objections(letter(LINES), tmp_path) == []
