"""One limit of time for a request and its answer, however slowly the other side drips its bytes.

A limit on each single read is no limit on the whole: whoever sends a byte a second never exceeds it.
"""

import os
import socket
from contextlib import suppress
from threading import Timer
from time import monotonic
from types import TracebackType
from typing import Self


class TimeLimit:
    """Cuts the connection of one call when its time is over. A context manager."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` from the moment it is made."""
        self._end = monotonic() + seconds
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._watched: socket.socket | None = None

    @property
    def left(self) -> float:
        """Seconds left, a little at least, so that a limit of nothing is not read as no limit."""
        return max(0.001, self._end - monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self._end

    def check(self) -> None:
        """Raises ``TimeoutError`` once the time is over."""
        if self.over:
            raise TimeoutError

    def watch(self, connected: socket.socket) -> None:
        """Keep a second handle of the connection, to cut it by: TLS takes the first one over."""
        self._watched = socket.socket(fileno=os.dup(connected.fileno()))
        if self.over:  # the timer came while there was nothing to cut, and comes only once
            self._cut()

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop watching."""
        self._timer.cancel()
        if self._watched is not None:
            self._watched.close()

    def _cut(self) -> None:
        if self._watched is not None:
            with suppress(OSError):
                self._watched.shutdown(socket.SHUT_RDWR)
