"""Runs one function at a time in a worker process with limits. Linux only: the limits are rlimits."""

from sandbox.errors import (
    SandboxError,
    WorkerCrashedError,
    WorkerFailedError,
    WorkerOverloadedError,
    WorkerTimeoutError,
)
from sandbox.pool import Pool

__all__ = [
    "Pool",
    "SandboxError",
    "WorkerCrashedError",
    "WorkerFailedError",
    "WorkerOverloadedError",
    "WorkerTimeoutError",
]
