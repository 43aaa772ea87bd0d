"""What deciding and recording cost: whole ``seal()`` calls against the bare signer, on the same two cores.

Two processes on one SQLite data folder (WAL, full sync). A whole seal use examines the document in a worker process,
reads its text, runs every rule twice, and makes two synced commits; the bare signer prepares, signs, checks its
signature and embeds. Rounds alternate; the ratio is that of the medians of wall time for each seal.
"""

import statistics
from collections.abc import Callable

from benchmarks.load import PROCESSES, Crew, inspection_milliseconds, installation, submissions

ROUNDS, WHOLE, BARE = 9, 15, 120


def run(out: Callable[[str], None]) -> None:
    """Print ``transaction_share`` and what it is made of."""
    with installation() as prepared:
        each = ROUNDS * WHOLE + 2
        shares = [submissions(prepared.world, prepared.folder, each) for _ in range(PROCESSES)]
        out(f"   examine and text, CPU: {inspection_milliseconds(shares[0][0]):.2f} ms a document")
        crew = Crew(prepared, shares)
        whole, bare = [], []
        for _ in range(ROUNDS):
            bare.append(crew.seconds("bare", BARE) / (BARE * PROCESSES))
            whole.append(crew.seconds("whole", WHOLE) / (WHOLE * PROCESSES))
        crew.close()
    out(_line("bare signer", bare))
    out(_line("seal()", whole))
    out(f"figure transaction_share {statistics.median(bare) / statistics.median(whole):.3f}")


def _line(what: str, times: list[float]) -> str:
    median, least = statistics.median(times), min(times)
    return f"   {what}: median {median * 1000:.2f} ms, minimum {least * 1000:.2f} ms, {1 / median:.0f} a second"
