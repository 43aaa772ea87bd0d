"""What every route needs, wired once in ``create_app`` and found through the request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.addresses import Addresses
from api.lane import Lane
from api.metrics import Metrics
from api.tokens import Tokens
from sealing.seal import Sealer
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process of the service."""

    shop: Workshop
    sealer: Sealer
    sealing: Lane
    """Seal uses: more threads would only take turns on one core."""
    verifying: Lane
    """Verifications, which anybody may ask for: they never hold more than one worker."""
    tokens: Tokens
    metrics: Metrics
    addresses: Addresses

    def now(self) -> datetime:
        """The time by the one clock; read once a request where it matters."""
        return self.sealer.clock()


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]
"""The service, as a parameter of a route."""
