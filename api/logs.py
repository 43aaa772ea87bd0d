"""Logs: one JSON line an event, for programs; never a secret, a token, a body or a document.

Messages of exceptions are kept, because an operator needs them, except where a library puts its inputs into them
(validation and database errors): those are told by type and place.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog
from pydantic import ValidationError
from structlog.typing import Processor

log: structlog.stdlib.BoundLogger = structlog.get_logger("yinxin")
_LONGEST = 2000
_SECRET = ("authorization", "secret", "token", "assertion", "password", "pin", "private")


def configure(form: Literal["json", "console"]) -> None:
    """Send all events of this process, ours and the libraries', to standard error in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        masked,
    ]
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, told, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)


def masked(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the value of any member whose name sounds like a secret; a second line of defence."""
    for name in event:
        if any(word in name.lower() for word in _SECRET):
            event[name] = "***"
    return event


def told(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Turn ``exc_info`` into our own account of it."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = account(error)
    return event


def account(error: BaseException) -> list[dict[str, Any]]:
    """An exception and its causes, newest first: type, message and where, without values of variables."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < 10:  # noqa: PLR2004  a chain longer than this tells no more
        frames = traceback.extract_tb(current.__traceback__)
        chain.append(
            {
                "type": f"{type(current).__module__}.{type(current).__qualname__}",
                "message": _message(current)[:_LONGEST],
                "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _message(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        details = error.errors(include_input=False, include_context=False, include_url=False)
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in details)
    if hasattr(error, "statement") and hasattr(error, "params"):  # a database error: its text holds the parameters
        return str(getattr(error, "orig", ""))
    return str(error)
