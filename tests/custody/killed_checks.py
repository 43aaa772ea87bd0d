"""The custody process with its real checks, killed at one step of the use of a seal's key, and of no other key."""

import os
import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from custody import key_work, server
from custody.checks import check_use
from custody.process import run
from custody.requests import CheckState, UseRequest
from custody.settings import ProcessSettings, Step


def main(argument: str, step: str) -> None:
    """Serve until the step is reached."""
    settings = ProcessSettings.from_argument(argument)
    sealing = [False]

    def check(request: UseRequest, state: CheckState, now: datetime) -> Mapping[str, Any]:
        sealing[0] = request.purpose == "seal"
        reached("asked")
        return check_use(request, state, now)

    def reached(name: str, _chosen: Step | None = None) -> None:
        if sealing[0] and name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    key_work.kill_at = server.kill_at = reached  # type: ignore[assignment]  # of the same form
    run(settings, check=check)
