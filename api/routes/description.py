"""The OpenAPI document."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request

from api.callers import PUBLIC

router: Final = APIRouter(tags=["operation"])


@router.get("/openapi.json", operation_id="describe", dependencies=[PUBLIC], response_model=None)
def describe(request: Request) -> dict[str, Any]:
    """This description of the service, OpenAPI 3.1."""
    document: dict[str, Any] = request.app.openapi()
    return document
