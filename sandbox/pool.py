"""A fixed number of persistent workers, lent to one caller each.

The caller never sees a half-dead worker: one that crashed, overran or was used often enough is killed
and a new one started in its place. Starting is not waited for; the next caller waits if it must.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from types import TracebackType
from typing import Any, Self

from sandbox.errors import (
    SandboxError,
    WorkerCrashedError,
    WorkerFailedError,
    WorkerOverloadedError,
)
from sandbox.frames import LONGEST_REQUEST, Json, encode
from sandbox.process import Limits, Worker

MIB = 1024 * 1024
_log = logging.getLogger("sandbox")


class Pool:
    """Workers that run the named functions and nothing else. Thread-safe; close it or use ``with``.

    Linux only. Not a jail: a worker that is taken over keeps the user's rights to files and network.
    What it does not have is our memory, our descriptors and our environment.
    """

    def __init__(  # noqa: PLR0913  each is a limit with a default; one object more would only rename them
        self,
        size: int,
        *,
        allowed: tuple[str, ...],
        memory_bytes: int = 512 * MIB,
        seconds: float = 5,
        queue: int | None = None,
        file_bytes: int = 512 * MIB,
        answer_bytes: int = 16 * MIB,
        calls_per_worker: int = 1000,
        warm: tuple[str, ...] = (),
        paths: tuple[str, ...] = (),
    ) -> None:
        """``allowed``: functions as ``package.module:function``. ``queue``: callers that may wait (4 × size).

        ``seconds``: wall clock a call, and CPU about as much. ``warm``: modules imported before the first
        call. ``paths``: further folders on the workers' ``sys.path``. Bytes are bytes of one worker.
        """
        self._limits = Limits(
            memory_bytes=memory_bytes,
            file_bytes=file_bytes,
            answer_bytes=answer_bytes,
            allowed=allowed,
            warm=warm,
            paths=paths,
        )
        self._seconds = seconds
        self._queue = 4 * size if queue is None else queue
        self._calls_per_worker = calls_per_worker
        self._condition = Condition()
        self._waiting = 0
        self._closed = False
        # None is a place whose worker could not be started; the next caller tries again.
        self._idle: list[Worker | None] = [Worker(self._limits) for _ in range(size)]

    def call(self, function: str, arguments: dict[str, Any], seconds: float | None = None) -> Json:
        """What ``function(**arguments)`` returns in a worker. Arguments and result are JSON.

        Raises WorkerFailedError for an error of the function, WorkerCrashedError, WorkerTimeoutError,
        WorkerOverloadedError; PermissionError when the function is not one of ``allowed``, which is the
        caller's mistake; TypeError or ValueError when the arguments are not JSON.
        """
        if function not in self._limits.allowed:
            raise PermissionError(f"function {function} is not among the allowed {self._limits.allowed}")
        time_limit = self._seconds if seconds is None else seconds
        request = {"function": function, "arguments": arguments, "seconds": time_limit}
        if len(encode(request)) > LONGEST_REQUEST:
            raise ValueError(f"request is longer than {LONGEST_REQUEST} bytes")
        with self._worker() as worker:
            return self._result(worker.ask(request, seconds=time_limit))

    def pids(self) -> list[int]:
        """The process ids of the idle workers."""
        with self._condition:
            return [worker.pid for worker in self._idle if worker]

    def close(self) -> None:
        """End the idle workers; busy ones end with their call. Waiting callers get WorkerOverloadedError."""
        with self._condition:
            self._closed = True
            idle, self._idle = self._idle, []
            self._condition.notify_all()
        for worker in idle:
            if worker:
                worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = self._take()
        keep = False
        try:
            yield worker
            keep = worker.calls < self._calls_per_worker
        except WorkerFailedError:
            keep = worker.calls < self._calls_per_worker
            raise
        except SandboxError as error:
            _log.warning("worker %d: %s; it wrote: %r", worker.pid, error.code, worker.said)
            raise
        finally:
            self._give_back(worker, keep=keep)

    def _take(self) -> Worker:
        with self._condition:
            if not self._idle:
                self._wait()
            if self._closed:
                raise _overloaded(0)
            worker = self._idle.pop()
        if worker and worker.alive:
            return worker
        if worker:
            worker.kill()
        try:
            return Worker(self._limits)
        except OSError:
            self._put(None)
            raise

    def _wait(self) -> None:
        if self._waiting >= self._queue:
            raise _overloaded(self._waiting)
        self._waiting += 1
        try:
            self._condition.wait_for(lambda: self._idle or self._closed)
        finally:
            self._waiting -= 1

    def _give_back(self, worker: Worker, *, keep: bool) -> None:
        if keep:
            self._put(worker)
            return
        worker.kill()
        try:
            self._put(Worker(self._limits))
        except OSError:
            self._put(None)

    def _put(self, worker: Worker | None) -> None:
        with self._condition:
            if not self._closed:
                self._idle.append(worker)
                self._condition.notify()
                return
        if worker:
            worker.kill()

    @staticmethod
    def _result(answer: Json) -> Json:
        match answer:
            case {"value": value}:
                return value
            case {"error": {"code": str(code), "zh": str(zh), "en": str(en)}}:
                raise WorkerFailedError(code, zh, en)
            case {"raised": str(name)}:
                raise WorkerFailedError(
                    "worker-failed",
                    f"处理文件时发生内部错误 {name}",
                    f"Working on the file ended in the internal error {name}",
                )
            case {"too_large": int(length)}:
                raise WorkerFailedError(
                    "worker-answer-too-large",
                    f"处理结果过大（{length} 字节）",
                    f"The result is too large ({length} bytes)",
                )
            case {"memory": True}:
                raise WorkerCrashedError(
                    "worker-out-of-memory",
                    "处理文件所需内存超过限额",
                    "The file needs more memory than a worker may use",
                )
        raise WorkerCrashedError("worker-answer-malformed", "工作进程的答复无法识别", "The worker's answer is not one")


def _overloaded(waiting: int) -> WorkerOverloadedError:
    return WorkerOverloadedError(
        "worker-overloaded",
        f"正在等待处理的文件过多（{waiting} 个），请稍后再试",
        f"Too many files wait for a worker ({waiting}); try again later",
    )
