"""Our own style sheet, script and icon: package data, named one by one, so that no path leads anywhere else."""

from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from api.callers import PUBLIC
from sealing.errors import UnknownError

router: Final = APIRouter(prefix="/static", dependencies=[PUBLIC], include_in_schema=False)
_TYPES: Final = {
    "style.css": "text/css; charset=utf-8",
    "verify.js": "text/javascript; charset=utf-8",
    "passkey.js": "text/javascript; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@router.get("/{name}", operation_id="readStatic")
async def read_static(name: str) -> Response:
    """One file."""
    if name not in _TYPES:
        raise UnknownError("route-unknown", "没有这个地址", "there is nothing under this address")
    return Response(_content(name), media_type=_TYPES[name], headers={"Cache-Control": "public, max-age=3600"})


@cache
def _content(name: str) -> bytes:
    return files("web").joinpath("static", name).read_bytes()
