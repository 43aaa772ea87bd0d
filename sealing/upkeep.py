"""What time alone makes due, done in the background of every process that serves.

Sealing never waits for it: each rule looks at the time itself. Several processes may do it at once.
"""

from threading import Event, Thread
from typing import Final

import structlog

from sealing.administration.agreement_seals import suspend_lapsed
from sealing.administration.proposals import end_overdue
from sealing.clock import Clock
from sealing.workshop import Workshop

INTERVAL: Final = 60.0
"""Seconds between two rounds."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("yinxin")


class Upkeep:
    """The background work of one process."""

    def __init__(self, shop: Workshop, clock: Clock) -> None:
        """Nothing is done before :meth:`start`."""
        self._shop, self._clock = shop, clock
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin, with a first round at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the work; waits for a round that is under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def round(self) -> None:
        """What is due now. Raises ``registry`` and ``ledger`` errors."""
        suspended = suspend_lapsed(self._shop, self._clock())
        if suspended:
            log.info("suspended_with_lapsed_agreements", seals=suspended)
        closed = end_overdue(self._shop, self._clock())
        if closed:
            log.info("closed_overdue_proposals", proposals=closed)

    def _run(self) -> None:
        while True:
            try:
                self.round()
            except Exception:
                log.warning("upkeep_failed", exc_info=True)
            if self._stopped.wait(INTERVAL):
                return
