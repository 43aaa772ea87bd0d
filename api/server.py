"""Starts the server processes and stops them gracefully."""

import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from api import logs, metrics
from api.app import create_app
from registry.errors import RowTamperedError
from sealing import clock
from sealing.recover import recover
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.upkeep import Upkeep
from sealing.witnessing import Witnessing
from sealing.workshop import Workshop, open_workshop

_GRACE: Final = 30
"""Seconds that running requests get when the server is stopped."""
_BACKLOG: Final = 2048


Complete = Callable[[FastAPI], None]
"""Adds to the application what is not the API: a function of a module, so that server processes can import it."""


def serve(settings: Settings, *, complete: Complete) -> None:
    """Serve until told to stop (SIGTERM or SIGINT); running requests are finished first.

    ``complete`` adds the pages for people.

    The installation must be initialised. Raises ``OSError`` when the address is taken, and what
    ``open_workshop`` raises when there is one process.
    """
    logs.configure(settings.log_format)
    listening = _listen(settings.host, settings.port)
    logs.log.info("serving", address=listening.getsockname()[:2], processes=settings.processes)
    config = uvicorn.Config(
        partial(application, settings, complete=complete),
        factory=True,
        workers=settings.processes,
        log_config=None,  # ours stands already
        access_log=False,  # its lines hold query strings
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
        lifespan="on",
    )
    if settings.processes == 1:
        server = uvicorn.Server(config)
        server.run(sockets=[listening])
        if not server.started:
            sys.exit(1)
        return
    _share_metrics(settings.data)
    Multiprocess(config, sockets=[listening]).run()


def application(settings: Settings, *, complete: Complete | None = None) -> FastAPI:
    """The application of one server process, over a workshop of its own that is closed with it.

    What a process that died left open is closed first. Raises what ``open_workshop`` and ``recover`` raise.
    """
    logs.configure(settings.log_format)
    with ExitStack() as stack:
        shop = stack.enter_context(open_workshop(settings))
        witnessing = Witnessing(shop, clock.utc_now)
        stack.callback(witnessing.stop)
        witnessing.start()  # before anything is appended
        upkeep = Upkeep(shop, clock.utc_now)
        stack.callback(upkeep.stop)
        closing = stack.pop_all().close
    try:
        _recover(shop)
        upkeep.start()
        app = create_app(shop, Sealer(shop), closing=closing)
        if complete is not None:
            complete(app)
    except BaseException:
        closing()
        raise
    return app


def _recover(shop: Workshop) -> None:
    """A row that does not fit the record is named, and keeps only its own application from going on."""
    try:
        closed = recover(shop, clock.utc_now)
    except RowTamperedError as error:
        logs.log.error("recovery-incomplete", code=error.code, reason=error.en)
        return
    logs.log.info("recovered", attempts=len(closed))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=False)
    listening.set_inheritable(True)
    # asyncio does this only for sockets that name their protocol; without it each answer waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _share_metrics(data: Path) -> None:
    folder = data / "metrics"
    rmtree(folder, ignore_errors=True)  # of the last run; the figures are of this one
    folder.mkdir(mode=0o700)
    os.environ[metrics.FOLDER] = str(folder.absolute())
