"""Each honest file is accepted, as far as trust goes."""

import pytest
from attacks.base import Base
from attacks.case import Case, judged
from attacks.table import HONEST


@pytest.mark.parametrize("case", HONEST, ids=lambda case: f"{case.family}-{case.name}")
def test_is_accepted(base: Base, case: Case) -> None:
    outcome = judged(base, case, case.make(base))
    assert outcome.as_expected, (outcome.indication, outcome.against, outcome.sentences)


def test_there_are_enough_and_no_two_have_one_name() -> None:
    assert len({each.file_name for each in HONEST}) == len(HONEST) >= 40
