"""Serves one witness until told to stop."""

import socket
from collections.abc import Callable
from datetime import datetime

import uvicorn

from witness.app import create_app
from witness.cosigner import Cosigner
from witness.errors import HomeError

_GRACE = 10
"""Seconds that running requests get when the witness is stopped."""
_AT_ONCE = 64
"""Connections at the same time; more are told to come back."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; ``port`` 0 takes any. Raises :class:`HomeError` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise HomeError(
            "address-taken", f"无法监听 {host}:{port}：{error}", f"cannot listen on {host}:{port}: {error}"
        ) from error


def serve(cosigner: Cosigner, clock: Callable[[], datetime], listening: socket.socket) -> None:
    """Answer on ``listening`` until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        create_app(cosigner, clock),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=_GRACE,
        lifespan="off",
    )
    uvicorn.Server(config).run(sockets=[listening])
