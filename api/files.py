"""Answers that are files: attachments, never shown in place, never sniffed."""

from pathlib import Path

from starlette.responses import FileResponse, Response

SANDBOX = "sandbox; default-src 'none'"


def _headers(name: str, etag: str | None) -> dict[str, str]:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": SANDBOX}
    return headers if etag is None else headers | {"ETag": f'"{etag}"'}


def file_at(path: Path, *, name: str, media_type: str, digest: str) -> Response:
    """The file at ``path`` whose bytes have ``digest``; ranges are served. ``name`` is plain ASCII."""
    return FileResponse(path, media_type=media_type, headers=_headers(name, digest))


def file_of(content: bytes, *, name: str, media_type: str) -> Response:
    """A file made for this answer."""
    return Response(content, media_type=media_type, headers=_headers(name, None))
