"""How many bytes a request body may have: a small limit for all, raised only by routes that take files."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from api.errors import TooLargeError

JSON_LIMIT: Final = 1_000_000
_STATE = "body_limit"


@dataclass(slots=True)
class _Limit:
    most: int = JSON_LIMIT
    received: int = 0


def limited(scope: Scope, receive: Receive) -> Receive:
    """``receive`` that raises :class:`TooLargeError` once the body is longer than its limit."""
    limit = scope.setdefault("state", {})[_STATE] = _Limit()
    announced = _announced(scope)

    async def counted() -> Message:
        if announced > limit.most:
            raise _too_large(limit.most)
        message = await receive()
        limit.received += len(message.get("body", b""))
        if limit.received > limit.most:
            raise _too_large(limit.most)
        return message

    return counted


def raise_limit(request: Request, most: int) -> None:
    """Let the body of this request have up to ``most`` bytes; before it is read, after the caller is known."""
    limit: _Limit = getattr(request.state, _STATE)
    limit.most = most


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _too_large(most: int) -> TooLargeError:
    return TooLargeError("body-too-large", f"正文超过 {most} 字节", f"the body is longer than {most} bytes")
