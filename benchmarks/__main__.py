"""``python -m benchmarks [name …]``: every benchmark, or those named, one line a figure."""

import sys
import time
from importlib import import_module

NAMES = ("seal", "transaction", "http", "append", "authority", "levels", "verify", "custody", "preview")


def main(names: list[str]) -> int:
    """Run the benchmarks and print their lines as they come."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names or NAMES:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        import_module(f"benchmarks.{name}").run(lambda line: print(line, flush=True))
        print(f"   ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
