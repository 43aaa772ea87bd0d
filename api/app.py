"""The HTTP application over one open workshop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import openapi, problems
from api.addresses import Addresses
from api.lane import Lane
from api.metrics import Metrics
from api.rate_limit import RateLimits
from api.routes import ROUTERS
from api.service import Service
from api.shell import Shell, tell_problem
from api.tokens import Tokens
from sealing.seal import Sealer
from sealing.workshop import Workshop

_BESIDE_SEALING = 16
"""Threads for all requests that do not wait in a lane."""
_VERIFICATIONS = 8
"""Verifications that may wait."""


def create_app(shop: Workshop, sealer: Sealer, *, closing: Callable[[], None] | None = None) -> FastAPI:
    """The application. ``closing`` is called once the last request has ended and the sealing thread has stopped.

    Raises ``keystore`` errors when the token key cannot be opened.
    """
    settings, metrics = shop.settings, Metrics()
    service = Service(
        shop=shop,
        sealer=sealer,
        sealing=Lane("sealing", settings.waiting),
        verifying=Lane("verifying", _VERIFICATIONS),
        tokens=Tokens(shop.keystore.open(shop.installation.token_key), settings.public_url, settings.token_lifetime),
        metrics=metrics,
        addresses=Addresses(settings.trusted_proxies),
    )
    app = FastAPI(
        title="印信 Yinxin",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_url=None,  # a route of ours, which declares its callers as every route does
        docs_url=None,  # the pages of the documentation viewers load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan(service, closing),
    )
    app.state.service = service
    app.state.rate_limits = RateLimits(settings.verification_rate, service.addresses)
    app.add_middleware(Shell, metrics=metrics)
    for kind in (*problems.TABLE, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, tell_problem)
    for router in ROUTERS:
        app.include_router(router)
    openapi.complete(app)
    return app


def _lifespan(
    service: Service, closing: Callable[[], None] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # A request that waits in a lane keeps a thread; those beside it must still find one.
        limiter: CapacityLimiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = service.shop.settings.waiting + _VERIFICATIONS + _BESIDE_SEALING
        try:
            yield
        finally:
            for lane in (service.sealing, service.verifying):
                await anyio.to_thread.run_sync(lane.close)
            if closing is not None:
                closing()

    return lifespan
