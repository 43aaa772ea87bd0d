"""The routes, one module a theme."""

from typing import Final

from fastapi import APIRouter

from api.routes import (
    agreements,
    alerts,
    applications,
    authority,
    clients,
    description,
    health,
    impressions,
    items,
    organs,
    persons,
    proposals,
    record,
    register,
    seal_uses,
    seals,
    token,
    verifications,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    token.router,
    seal_uses.router,
    applications.router,
    impressions.router,
    register.router,
    alerts.router,
    proposals.router,
    agreements.router,
    seals.router,
    items.router,
    organs.router,
    persons.router,
    clients.router,
    verifications.router,
    record.router,
    authority.router,
    health.router,
    description.router,
)
"""In the order of the OpenAPI document."""
