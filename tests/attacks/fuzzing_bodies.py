"""Fuzz target: the reader of upload bodies. A changed body is read, or refused with a typed error."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

from attacks.mutation import mutated
from starlette.requests import Request

from api.errors import ApiError
from api.uploads import _pump, _Reader

BOUNDARY = b"x8a1"
_PIECES = (1, 7, 64, 1000, 100_000)


def body_of(parts: list[tuple[str, bytes]]) -> bytes:
    """A multipart/form-data body (RFC 7578)."""
    head = (
        b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="a.pdf"\r\nContent-Type: text/plain\r\n\r\n%s\r\n'
    )
    return b"".join(head % (BOUNDARY, name.encode(), value) for name, value in parts) + b"--%s--\r\n" % BOUNDARY


def multipart(seed: int) -> None:
    """A changed body in pieces of some length. Raises what the reader raises beside typed errors."""
    chance = Random(seed)
    parts = [("document", chance.randbytes(chance.randrange(2000))), ("receipt", b'{"d": 1}' * chance.randrange(50))]
    body = mutated(body_of(parts), chance)
    step = chance.choice(_PIECES)

    async def receive() -> AsyncIterator[dict[str, object]]:
        for at in range(0, len(body), step):
            yield {"type": "http.request", "body": body[at : at + step], "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    messages = receive()
    boundary = chance.choice((BOUNDARY, b'"x8a1"', b"x8a1; a=b", b"", b"y" * 300))
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(b"content-type", b"multipart/form-data; boundary=" + boundary)],
    }
    request = Request(scope, lambda: anext(messages))  # type: ignore[arg-type]  a receive callable in all but name
    asyncio.run(_read(request))


async def _read(request: Request) -> None:
    with open("/dev/null", "wb") as target:  # noqa: ASYNC230, PTH123  nothing is written to a disk
        reader = _Reader(file_name="document", names=("receipt",), target=target, most=1500)
        try:
            await _pump(request, reader)
            if reader.length is not None and reader.length > reader.most:
                raise AssertionError(f"{reader.length} bytes were taken, at most {reader.most} may be")
        except ApiError:
            return
