"""``python tests/attacks``: make every attack file and every honest one, judge them, and print the table.

``--peers`` also asks poppler and pyHanko, for information. Exit code 1 when one file is not judged as expected.
"""

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from attacks.base import Base, open_base  # noqa: E402  after the path
from attacks.before_sealing import objections, prepared  # noqa: E402
from attacks.case import Case, judged  # noqa: E402
from attacks.other_readers import pdfsig_says_valid, pyhanko_says_valid  # noqa: E402
from attacks.table import ATTACKS, FAMILIES, HONEST  # noqa: E402

_BEFORE = "shadow, before sealing"


class Table:
    """Counts by family."""

    def __init__(self, base: Base, *, peers: bool) -> None:
        self.base, self.peers = base, peers
        self.count: Counter[str] = Counter()
        self.good: Counter[str] = Counter()
        self.valid: dict[str, Counter[str]] = {"pdfsig": Counter(), "pyHanko": Counter()}
        self.wrong: list[str] = []

    def judge(self, cases: Iterable[Case]) -> None:
        for case in cases:
            data = case.make(self.base)
            outcome = judged(self.base, case, data)
            self.count[case.family] += 1
            self.good[case.family] += outcome.as_expected
            if not outcome.as_expected:
                self.wrong.append(f"{case.file_name}: {outcome.indication} {', '.join(outcome.against)}")
            if self.peers and not case.bounded:
                self._ask(case.family, data)

    def _ask(self, family: str, data: bytes) -> None:
        path = self.base.folder / "asked.pdf"
        path.write_bytes(data)
        self.valid["pdfsig"][family] += bool(pdfsig_says_valid(path))
        self.valid["pyHanko"][family] += pyhanko_says_valid(data, self.base.trusting_stranger().roots)

    def examine(self) -> None:
        """What must not be sealed in the first place."""
        for name, make in prepared().items():
            refused = bool(objections(make(), self.base.folder))
            self.count[_BEFORE] += 1
            self.good[_BEFORE] += refused
            if not refused:
                self.wrong.append(f"{_BEFORE}--{name}: may be sealed")

    def show(self, title: str, families: Iterable[str], word: str) -> None:
        families = list(families)
        asked = [*self.valid] if self.peers else []
        _say(f"{title:<26}{'count':>7}{word:>9}" + "".join(f"{name + ' valid':>16}" for name in asked))
        for family in families:
            _say(
                self._line(family, self.count[family], self.good[family], [self.valid[name][family] for name in asked])
            )
        totals = [sum(self.valid[name][family] for family in families) for name in asked]
        count, good = (sum(counter[family] for family in families) for counter in (self.count, self.good))
        _say(self._line("all", count, good, totals) + "\n")

    @staticmethod
    def _line(name: str, count: int, good: int, valid: list[int]) -> str:
        return f"{name:<26}{count:>7}{good:>9}" + "".join(f"{each:>16}" for each in valid)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Print both tables."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, open_base(Path(folder)) as base:
        table = Table(base, peers="--peers" in arguments)
        table.judge(ATTACKS)
        table.examine()
        table.show("attack family", [*FAMILIES, _BEFORE], "refused")
        table.judge(HONEST)
        table.show("honest files", dict.fromkeys(each.family for each in HONEST), "passed")
    for line in table.wrong:
        _say(f"NOT AS EXPECTED  {line}")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
