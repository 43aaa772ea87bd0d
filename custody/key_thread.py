"""The one thread that uses keys: a bounded queue before it, a deadline for each call, and what happens beyond it.

Libraries behind PKCS#11 are not safe across threads, and a call into one cannot be taken back. So a call that is not
done by its deadline makes the process useless: it answers everybody and ends, and a client starts the next one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from custody.key_work import KeyWork
from keystore.interface import KeyServiceBusyError, KeyServiceTimeoutError

T = TypeVar("T")


@dataclass(slots=True)
class _Call(Generic[T]):
    """One piece of work, waiting, running or done. ``ready`` is released when it is done."""

    work: Callable[[KeyWork], T]
    ready: Lock
    turn: Lock = field(default_factory=Lock)
    """Held by whoever got the call: the key thread to do it, or the waiting caller to withdraw it."""
    answer: T | None = None
    error: BaseException | None = None


class KeyThread:
    """Does work on keys, one piece after the other."""

    def __init__(self, work: KeyWork, *, waiting: int) -> None:
        """``waiting`` is how many calls may wait beside the one that runs."""
        self._work = work
        self._most = waiting
        self._queue: SimpleQueue[_Call[Any]] = SimpleQueue()
        self.hung = False
        """Whether a call was not done by its deadline; nothing is taken any more."""
        Thread(target=self._run, name="keys", daemon=True).start()

    def do(self, work: Callable[[KeyWork], T], *, seconds: float) -> T:
        """The result of ``work``, or what it raises.

        Raises :class:`KeyServiceBusyError` when it was not begun, :class:`KeyServiceTimeoutError` when it was begun and
        is not done within ``seconds``; then :attr:`hung` is set.
        """
        if self.hung or self._queue.qsize() >= self._most:
            raise _busy(self._most)
        call = _Call(work, Lock())
        call.ready.acquire()
        deadline = time.monotonic() + seconds
        self._queue.put(call)
        if not call.ready.acquire(timeout=max(0.0, deadline - time.monotonic())):
            self._too_late(call, seconds)
        if call.error is not None:
            raise call.error
        return call.answer  # type: ignore[return-value]  # set together with `ready`

    def _too_late(self, call: _Call[T], seconds: float) -> None:
        if call.turn.acquire(blocking=False):
            raise _busy(self._most)
        if call.ready.acquire(timeout=0.01):  # done at the last moment
            return
        self.hung = True
        raise KeyServiceTimeoutError(
            f"密钥操作 {seconds:g} 秒内未完成；密钥可能已使用，密钥进程随即重启",
            f"the key operation was not done within {seconds:g} s; the key may have been used; the process starts anew",
        )

    def _run(self) -> None:
        while True:
            call = self._queue.get()
            if not call.turn.acquire(blocking=False):
                continue  # withdrawn
            try:
                call.answer = call.work(self._work)
            except BaseException as error:  # noqa: BLE001  it belongs to the caller
                call.error = error
            call.ready.release()


def _busy(most: int) -> KeyServiceBusyError:
    return KeyServiceBusyError(
        f"密钥进程繁忙，最多 {most} 项等待；密钥未使用，请稍后再试",
        f"the custody process is busy, at most {most} calls may wait; the key was not used, try again",
    )
