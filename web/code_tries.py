"""How often a check code may be tried with a wrong number: who holds a code shall not guess the number."""

from typing import Final

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.errors import RateLimitedError

_RATE: Final = parse("20/hour")
_WAIT: Final = 3600


class CodeTries:
    """The counts of one server process."""

    def __init__(self) -> None:
        self._misses = SlidingWindowCounterRateLimiter(MemoryStorage())

    def require(self, code: str) -> None:
        """Raise :class:`RateLimitedError` when too many wrong numbers were tried on ``code``."""
        if self._misses.test(_RATE, code):
            return
        raise RateLimitedError(
            "code-tried-too-often",
            "这个查验码被输错编号的次数过多，请一小时后再试，或索要电子文件查验",
            "too many wrong numbers were tried on this check code; try again in an hour, or ask for the file",
            wait=_WAIT,
        )

    def miss(self, code: str) -> None:
        """Count one wrong number."""
        self._misses.hit(_RATE, code)
