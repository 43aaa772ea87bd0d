"""Seals what it is handed, in a process of its own: ``python sealing_process.py FILE``; writes one state a line.

The file has ``settings``, the ``clock`` to begin at, the ``caller`` and the ``submissions``.
"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

from sealing.order import Caller, Order, Submission
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import open_workshop


class Clock:
    """A millisecond later with each reading."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(path: Path) -> None:
    """Wait until standard input ends, so that several processes begin together."""
    task = json.loads(path.read_text())
    caller = {**task["caller"], "organs": tuple(task["caller"]["organs"]), "roles": tuple(task["caller"]["roles"])}
    with open_workshop(Settings(**task["settings"])) as shop:
        sealer = Sealer(shop, clock=Clock(datetime.fromisoformat(task["clock"])))
        tell("ready")
        sys.stdin.read()
        for each in task["submissions"]:
            order = Order.model_validate_json(json.dumps(each["order"]))
            submission = Submission(**{**each, "order": order, "source": Path(each["source"])})
            tell(sealer.seal(submission, Caller(**caller)).state)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
