"""HTTP for one witness: ``POST /add-checkpoint`` of C2SP tlog-witness, and its verifier key."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from keystore.interface import KeystoreError
from witness.cosigner import Cosigner
from witness.errors import ConflictError, NotNowError, RefusedError, TooLargeError
from witness.request import LONGEST

SECONDS_FOR_BODY = 10
_SIZE = "text/x.tlog.size"


def create_app(cosigner: Cosigner, clock: Callable[[], datetime]) -> Starlette:
    """The application of one witness. ``clock`` gives the present time, aware, UTC."""
    routes = [
        Route("/add-checkpoint", partial(_add_checkpoint, cosigner, clock), methods=["POST"]),
        Route("/vkey", partial(_vkey, cosigner), methods=["GET"]),
    ]
    return Starlette(routes=routes)


async def _add_checkpoint(cosigner: Cosigner, clock: Callable[[], datetime], request: Request) -> Response:
    try:
        async with asyncio.timeout(SECONDS_FOR_BODY):
            body = await _body(request)
        return PlainTextResponse(await run_in_threadpool(_cosign, cosigner, clock, body))
    except ConflictError as error:
        return Response(f"{error.size}\n", 409, headers={"Content-Type": _SIZE})  # with no charset added
    except RefusedError as error:
        return PlainTextResponse(f"{error.code}: {error.zh} / {error.en}\n", error.status)
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(408) from None


def _cosign(cosigner: Cosigner, clock: Callable[[], datetime], body: bytes) -> str:
    try:
        return cosigner.add_checkpoint(body, clock)
    except KeystoreError as error:
        raise NotNowError(error.code, error.zh, error.en) from error


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise TooLargeError("request-too-large", f"请求超过 {LONGEST} 字节", f"more than {LONGEST} bytes")
    return bytes(body)


async def _vkey(cosigner: Cosigner, _request: Request) -> Response:
    return PlainTextResponse(f"{cosigner.identity.vkey}\n")
