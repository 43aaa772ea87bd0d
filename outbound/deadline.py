"""One limit of time for everything a call does, however slowly the other side drips its bytes.

A limit on each single read is no limit on the whole: whoever sends a byte a second never exceeds it.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread, Timer
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Deadline:
    """Cuts the connection of one call when its time is over. A context manager; ``over`` says whether it did."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` from now."""
        self._end = monotonic() + seconds
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._connection: socket.socket | None = None

    @property
    def left(self) -> float:
        """Seconds left, a little at least, so that a limit of nothing is not read as no limit."""
        return max(0.001, self._end - monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self._end

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop watching."""
        self._timer.cancel()
        if self._connection is not None:
            self._connection.close()

    def watch(self, event: str, facts: dict[str, Any]) -> None:
        """Told by the HTTP library what happens to the connection; keeps a second handle of it, to cut it by."""
        if event == "connection.connect_tcp.complete":
            connected: socket.socket = facts["return_value"].get_extra_info("socket")
            # TLS takes the first handle over and replaces it; this one reaches the connection all the same.
            self._connection = socket.socket(fileno=os.dup(connected.fileno()))
            if self.over:  # the timer came while there was nothing to cut, and comes only once
                self._cut()

    def _cut(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of ``work``, which may hang where nothing can interrupt it. Raises ``TimeoutError``, or its error."""
    answers: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((work(), None))
        except Exception as error:  # noqa: BLE001  handed to the caller's thread
            answers.put((None, error))

    Thread(target=run, daemon=True).start()
    try:
        result, error = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # there is no error, so there is a result
