"""What an operator watches: seal uses by outcome, refusals by rule, durations, the queue."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own variable: where several processes share their figures; set by ``api.server``."""
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Figures of one process, or of all that share the folder."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._seal_uses = Counter("yinxin_seal_uses", "Seal uses by outcome", ["outcome"], registry=self._own)
        self._refusals = Counter("yinxin_refusals", "Failed rules of refused uses", ["rule"], registry=self._own)
        self._sealing = Histogram(
            "yinxin_sealing_seconds", "From being accepted to the outcome", registry=self._own, buckets=_SECONDS
        )
        self._requests = Histogram(
            "yinxin_request_seconds",
            "Requests by operation and status",
            ["operation", "status"],
            registry=self._own,
            buckets=_SECONDS,
        )
        self.waiting = Gauge(
            "yinxin_sealing_waiting",
            "Seal uses accepted and not ended",
            registry=self._own,
            multiprocess_mode="livesum",
        )

    def sealed(self, *, outcome: str, findings: Iterable[Mapping[str, Any]], seconds: float) -> None:
        """Count one seal use. ``outcome`` is sealed, refused, replayed or the code of an error."""
        self._seal_uses.labels(outcome).inc()
        self._sealing.observe(seconds)
        for finding in findings:
            if not finding["passed"]:
                self._refusals.labels(finding["code"]).inc()

    def request(self, *, operation: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(operation, str(status)).observe(seconds)

    def text(self) -> bytes:
        """All figures in the Prometheus text format."""
        if FOLDER not in os.environ:
            return generate_latest(self._own)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library has no types there
        return generate_latest(shared)
