"""One worker process as the pool sees it: start, one request and its answer before a deadline, end."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.errors import WorkerCrashedError, WorkerTimeoutError
from sandbox.frames import HEADER, Json, decode, encode

_HOME = str(Path(__file__).resolve().parent.parent)
_BOOT = "import sys; sys.path[:0] = {paths!r}; from sandbox.worker import main; main(sys.argv[1])"
_STDERR_KEPT = 4096
_READ = 1 << 16
_START_SECONDS = 30.0
_END_SECONDS = 1.0  # for a worker that closed its pipe to end as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one worker may use. ``memory_bytes`` is address space, libraries included."""

    memory_bytes: int
    file_bytes: int
    answer_bytes: int
    allowed: tuple[str, ...]
    warm: tuple[str, ...]
    paths: tuple[str, ...]

    def command(self) -> list[str]:
        """The isolated interpreter: no PYTHON* variables, no user site, no script folder on the path."""
        settings = {
            "memory": self.memory_bytes,
            "file_size": self.file_bytes,
            "answer_bytes": self.answer_bytes,
            "allowed": self.allowed,
            "warm": self.warm,
        }
        boot = _BOOT.format(paths=[_HOME, *self.paths])
        return [sys.executable, "-I", "-X", "utf8", "-c", boot, json.dumps(settings)]


@dataclass(slots=True)
class Worker:
    """A running worker. Used by one thread at a time; the pool sees to that."""

    limits: Limits
    calls: int = 0
    _ready: bool = False
    _said: bytearray = field(default_factory=bytearray)
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and our own text
            self.limits.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        for pipe in self._pipes():
            os.set_blocking(pipe, False)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._status() is None

    @property
    def said(self) -> str:
        """The last of what the worker wrote to its standard error, for the operator's log."""
        return self._said.decode(errors="replace")

    def ask(self, request: Json, *, seconds: float) -> Json:
        """One request, one answer; start-up has its own time.

        Raises WorkerCrashedError and WorkerTimeoutError.
        """
        if not self._ready:
            self._exchange(b"", deadline=time.monotonic() + _START_SECONDS)
            self._ready = True
        self.calls += 1
        return self._exchange(encode(request), deadline=time.monotonic() + seconds)

    def kill(self) -> None:
        """End the whole session at once and collect it."""
        # Nobody collected the process before this, so its number is not yet another's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def _pipes(self) -> tuple[int, int, int]:
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise WorkerCrashedError("worker-crashed", "工作进程没有管道", "The worker has no pipes")
        return process.stdin.fileno(), process.stdout.fileno(), process.stderr.fileno()

    def _exchange(self, frame: bytes, *, deadline: float) -> Json:
        to_worker, from_worker, stderr = self._pipes()
        rest, got = memoryview(frame), bytearray()
        poll = select.poll()
        poll.register(from_worker, select.POLLIN)
        poll.register(stderr, select.POLLIN)
        rest = self._write(to_worker, rest)
        if rest:
            poll.register(to_worker, select.POLLOUT)
        while not self._complete(got):
            for descriptor, _ in poll.poll(self._milliseconds_left(deadline)):
                if descriptor == to_worker:
                    rest = self._write(to_worker, rest)
                    if not rest:
                        poll.unregister(to_worker)
                elif descriptor == stderr:
                    self._hear(stderr, poll.unregister)
                else:
                    got += self._read(from_worker)
        return self._parse(bytes(got[HEADER.size :]))

    def _complete(self, got: bytearray) -> bool:
        if len(got) < HEADER.size:
            return False
        length: int = HEADER.unpack_from(got)[0]
        # The worker checks its own answers; a longer one comes from a worker that was taken over.
        if length > self.limits.answer_bytes or len(got) > HEADER.size + length:
            raise self._nonsense()
        return len(got) == HEADER.size + length

    def _milliseconds_left(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise WorkerTimeoutError(
                "worker-timeout",
                "处理文件超过限定时间，工作进程已终止",
                "The file took longer than its time limit; the worker was ended",
            )
        return left * 1000 + 1

    def _write(self, descriptor: int, rest: memoryview) -> memoryview:
        try:
            return rest[os.write(descriptor, rest) :] if rest else rest
        except BlockingIOError:
            return rest
        except BrokenPipeError:
            raise self._crashed() from None

    def _read(self, descriptor: int) -> bytes:
        data = os.read(descriptor, _READ)
        if not data:
            raise self._crashed()
        return data

    def _hear(self, descriptor: int, unregister: Callable[[int], None]) -> None:
        data = os.read(descriptor, _READ)
        if not data:
            unregister(descriptor)
        self._said += data
        del self._said[:-_STDERR_KEPT]

    def _crashed(self) -> WorkerCrashedError | WorkerTimeoutError:
        until = time.monotonic() + _END_SECONDS
        while (status := self._status()) is None and time.monotonic() < until:
            time.sleep(0.005)
        if status == -signal.SIGXCPU:
            return WorkerTimeoutError(
                "worker-timeout", "处理文件超过限定的处理器时间", "The file used up its processor time"
            )
        return WorkerCrashedError(
            "worker-crashed",
            f"工作进程意外终止（状态 {status}）",
            f"The worker ended unexpectedly (status {status})",
        )

    def _status(self) -> int | None:
        """How the process ended (a signal as a negative number), without collecting it; None while it runs."""
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _parse(self, body: bytes) -> Json:
        try:
            return decode(body)
        except (ValueError, RecursionError):
            raise self._nonsense() from None

    @staticmethod
    def _nonsense() -> WorkerCrashedError:
        return WorkerCrashedError("worker-answer-malformed", "工作进程的答复无法识别", "The worker's answer is not one")
