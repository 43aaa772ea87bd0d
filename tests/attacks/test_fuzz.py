"""The fuzz targets for a little while, with seeds that are told; ``make fuzz`` runs them for longer."""

import os
import time

import pytest
from attacks.base import Base
from attacks.fuzzing import TARGETS, run

SECONDS = 15.0 if os.environ.get("CI") else 4.0


# A changed serial may be negative: today's library warns of it, and a later one raises a ValueError, which is typed.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("name", TARGETS)
def test_no_change_passes_and_none_breaks_a_reader(base: Base, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = int(time.time()) // 86_400 * 1_000_000
    done = run(base, TARGETS[name], seconds=SECONDS, first=first)
    with capsys.disabled():
        print(f"\n{name}: seeds {first} to {first + done.count - 1}, {done.count} runs, {len(done.unnamed)} unnamed")  # noqa: T201  the seed to repeat
    assert done.count > 0
    assert done.faults == []
