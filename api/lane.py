"""One thread behind a bounded queue: what is waited for is done one after the other, and never without limit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from api.errors import OverloadedError

T = TypeVar("T")


class Lane:
    """Runs work one after the other; callers wait for theirs."""

    def __init__(self, name: str, waiting: int) -> None:
        """``waiting``: how many may wait besides the one being worked on."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._places = BoundedSemaphore(waiting + 1)
        self._waiting = waiting

    def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises. Raises :class:`OverloadedError` at once when no place is free."""
        if not self._places.acquire(blocking=False):
            raise _overloaded(self._waiting)
        try:
            return self._executor.submit(work).result()
        except RuntimeError as error:
            if "after shutdown" not in str(error):
                raise
            raise _overloaded(self._waiting) from error
        finally:
            self._places.release()

    def close(self) -> None:
        """Finish what was accepted, then stop."""
        self._executor.shutdown(wait=True)


def _overloaded(waiting: int) -> OverloadedError:
    return OverloadedError(
        "overloaded",
        f"排队的请求已达 {waiting} 件，请稍后以同一幂等键重试",
        f"{waiting} requests wait already; retry later with the same idempotency key",
    )
