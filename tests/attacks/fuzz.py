"""``python tests/attacks/fuzz.py SECONDS [FIRST]``: fuzz all targets, print seeds and counts; exit code 1: faults."""

import logging
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from attacks.base import open_base  # noqa: E402  after the path
from attacks.fuzzing import TARGETS, run  # noqa: E402  after the path


def main(seconds: float, first: int) -> int:
    """Give each target its share of the time."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    faults, kept = 0, Path(tempfile.mkdtemp(prefix="fuzz-"))
    with tempfile.TemporaryDirectory() as folder, open_base(Path(folder)) as base:
        for name, target in TARGETS.items():
            done = run(base, target, seconds=seconds / len(TARGETS), first=first, keep=kept)
            faults += len(done.faults)
            sys.stdout.write(f"{name:<12}seeds {first} to {first + done.count - 1}: {done.count} runs, ")
            sys.stdout.write(f"{len(done.faults)} faults, {len(done.unnamed)} unnamed\n")
            sys.stdout.write("".join(f"  {each}\n" for each in (*done.faults, *done.unnamed)[:50]))
            sys.stdout.flush()
    sys.stdout.write(f"faulty files are kept in {kept}\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
