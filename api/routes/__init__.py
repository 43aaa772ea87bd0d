"""The routes, one module a theme."""

from typing import Final

from fastapi import APIRouter

from api.routes import applications, health, impressions, seal_uses, token

ROUTERS: Final[tuple[APIRouter, ...]] = (
    token.router,
    seal_uses.router,
    applications.router,
    impressions.router,
    health.router,
)
"""In the order of the OpenAPI document."""
