"""The outermost layer of every request: its id, its limits, its log line, safe headers, and what nobody caught."""

import secrets
from collections.abc import Callable
from time import perf_counter
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.body_limit import limited
from api.logs import log
from api.metrics import Metrics
from api.problems import Problem

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Set unless the route says otherwise. Nothing here is meant to be shown inside a page."""
_SERVER_ERROR = 500


ProblemPage = Callable[[Request, Problem], Response | None]
"""Tells a problem to a person, or None where a program asks; ``app.state.problem_page`` where there are pages."""


class Shell:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """``metrics`` counts each request."""
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP is passed through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = f"req-{secrets.token_hex(8)}"
        begun, status = perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, limited(scope, receive), answer)
        except ClientDisconnect:
            log.info("caller_left", request=request_id)
        except Exception as error:
            if status:  # the answer has begun; all that is left is to break it off
                log.exception("answer_broken_off", request=request_id)
                raise
            await problem_response(Request(scope), error)(scope, receive, answer)
        finally:
            self._tell(scope, status, perf_counter() - begun)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        operation = getattr(scope.get("route"), "operation_id", None) or "none"
        self.metrics.request(operation=operation, status=status, seconds=seconds)
        log.info(
            "request",
            request=scope["state"]["request_id"],
            method=scope["method"],
            path=scope["path"],  # never the query: it may hold what a person searched for
            operation=operation,
            status=status,
            client=scope["state"].get("client"),
            milliseconds=round(seconds * 1000, 1),
        )


def problem_response(request: Request, error: Exception) -> Response:
    """The answer to any error, logged whole where the service is at fault."""
    found = problems.problem(error)
    request_id: str = request.state.request_id
    if found.status >= _SERVER_ERROR:
        log.error("failed", request=request_id, code=found.code, exc_info=error)
    tell_people: ProblemPage | None = getattr(request.app.state, "problem_page", None)
    page = None if tell_people is None else tell_people(request, found)
    if page is not None:
        return page
    return JSONResponse(
        found.document(request_id), found.status, headers=dict(found.headers), media_type=problems.MEDIA_TYPE
    )


async def tell_problem(request: Request, error: Exception) -> Response:
    """As an exception handler."""
    return problem_response(request, error)
