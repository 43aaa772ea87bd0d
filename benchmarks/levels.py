"""What a long-term seal costs: a whole seal use at PAdES-B-LT against the same at PAdES-B-B, embedded authority.

Two installations in one process, alike but for the level of their seals; the check mark is printed apart.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.load import Prepared, installation, submissions
from sealing.administration.seals import SealPolicy
from sealing.order import Submission
from sealing.seal import Sealer
from sealing.workshop import open_workshop

ROUNDS, EACH, WARMING = 9, 12, 3
_PLAIN = SealPolicy(level="PAdES-B-B", check_mark="none")
_LONG_TERM = SealPolicy(level="PAdES-B-LT", check_mark="none")
_MARKED = SealPolicy(level="PAdES-B-LT", check_mark="qr")


def run(out: Callable[[str], None]) -> None:
    """Print ``seal_blt_overhead`` and what it is made of."""
    with installation(_PLAIN) as plain, installation(_LONG_TERM) as long_term, installation(_MARKED) as marked:
        sides = {"B-B": plain, "B-LT": long_term, "B-LT with QR mark": marked}
        times = _times(sides)
    for name, each in times.items():
        out(f"   {name}: median {statistics.median(each) * 1000:.2f} ms, minimum {min(each) * 1000:.2f} ms")
    out(f"figure seal_blt_overhead {statistics.median(times['B-LT']) / statistics.median(times['B-B']):.2f}")


def _times(sides: dict[str, Prepared]) -> dict[str, list[float]]:
    """Seconds a seal use, one figure a round; the sides take turns."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    with ExitStack() as stack:
        sealers = {name: Sealer(stack.enter_context(open_workshop(side.settings))) for name, side in sides.items()}
        waiting = {name: submissions(side.world, side.folder, ROUNDS * EACH + WARMING) for name, side in sides.items()}
        for name, side in sides.items():
            _seal(sealers[name], side, [waiting[name].pop() for _ in range(WARMING)])
        for _ in range(ROUNDS):
            for name, side in sides.items():
                found[name].append(_seal(sealers[name], side, [waiting[name].pop() for _ in range(EACH)]))
    return found


def _seal(sealer: Sealer, side: Prepared, uses: list[Submission]) -> float:
    started = time.perf_counter()
    for submission in uses:
        outcome = sealer.seal(submission, side.caller)
        if outcome.state != "sealed":
            raise RuntimeError(str(outcome.findings))
    return (time.perf_counter() - started) / len(uses)
