"""Bodies that are neither JSON nor multipart: DER of one media type, small, read whole once the caller may speak."""

from typing import Any, Final

from starlette.requests import Request

from api.body_limit import raise_limit
from api.errors import MediaTypeError

_ROOM: Final = 1024
"""Bytes above the longest body that is understood: then the protocol itself says that it is too long."""


class RawBody:
    """A dependency that gives the bytes of a body of one media type."""

    def __init__(self, media_type: str, longest: int) -> None:
        """``longest`` in bytes."""
        self.media_type, self.longest = media_type, longest

    async def __call__(self, request: Request) -> bytes:
        """Raise :class:`MediaTypeError`, :class:`api.errors.TooLargeError`."""
        found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if found != self.media_type:
            raise MediaTypeError(
                "media-type",
                f"正文的媒体类型为 {found or '未注明'}，应为 {self.media_type}",
                f"the body is {found or 'of no stated type'}, expected {self.media_type}",
            )
        raise_limit(request, self.longest + _ROOM)
        return await request.body()


def binary(media_type: str) -> dict[str, Any]:
    """The description of such a body, for ``openapi_extra``."""
    schema = {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
