"""Each attack file is refused, with a finding that names it."""

import pytest
from attacks.base import Base
from attacks.case import Case, judged
from attacks.table import ATTACKS, FAMILIES


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: f"{case.family}-{case.name}")
def test_is_refused_and_named(base: Base, case: Case) -> None:
    outcome = judged(base, case, case.make(base))
    assert outcome.as_expected, (outcome.indication, outcome.against, outcome.sentences)


def test_there_are_enough_and_no_two_have_one_name() -> None:
    assert len({each.file_name for each in ATTACKS}) == len(ATTACKS) >= 120
    assert len(FAMILIES) >= 15
