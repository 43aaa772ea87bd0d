"""The worker's side: set limits first, then answer one request after another until the pool hangs up.

Runs in a fresh isolated interpreter. Nothing here is trusted by the pool: it checks every answer again.
"""

import importlib
import json
import math
import os
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from sandbox.frames import HEADER, LONGEST_REQUEST, decode, encode

_FILE_DESCRIPTORS = 64


def main(settings_text: str) -> None:
    """Answer requests until end of file. ``settings_text`` is the JSON on the command line."""
    settings = json.loads(settings_text)
    os.environ.clear()  # the pool gave none; the interpreter adds LC_CTYPE itself (PEP 538)
    set_limits(settings["memory"], settings["file_size"])
    requests, answers = private_channels()
    for module in settings["warm"]:
        importlib.import_module(module)
    send(answers, encode({"ready": True}))
    while (body := read_frame(requests)) is not None:
        send(answers, answer(decode(body), settings["allowed"], settings["answer_bytes"]))


def set_limits(memory: int, file_size: int) -> None:
    """Address space, file size and descriptors, for good; no core file, which would hold the document."""
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_NOFILE, _FILE_DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (limit, limit))


def allow_cpu(seconds: float) -> None:
    """Move the soft CPU limit ``seconds`` and a bit ahead of what was used so far.

    The pool watches the wall clock; this is for a worker whose pool was killed and cannot.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def private_channels() -> tuple[BinaryIO, int]:
    """Take the two pipes away from 0 and 1, so that what the function prints cannot be read as an answer."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return requests, answers


def send(answers: int, frame: bytes) -> None:
    """Write all of ``frame``: a pipe takes large ones in pieces."""
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(answers, rest) :]


def read_frame(requests: BinaryIO) -> bytes | None:
    """The next frame's body, or None when the pool hung up."""
    header = requests.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    if length > LONGEST_REQUEST:
        return None
    body = requests.read(length)
    return body if len(body) == length else None


def answer(request: dict[str, Any], allowed: list[str], longest: int) -> bytes:
    """The frame for one request: its value, or what may be told of the error."""
    try:
        allow_cpu(request["seconds"])
        frame = encode({"value": find(request["function"], allowed)(**request["arguments"])})
    except MemoryError:
        return encode({"memory": True})
    except Exception as error:  # noqa: BLE001  every error of a parser must cross as data
        return encode(describe(error))
    finally:
        sys.stdout.flush()
    return frame if len(frame) <= longest else encode({"too_large": len(frame)})


def find(name: str, allowed: list[str]) -> Callable[..., Any]:
    """The function ``package.module:function``; the allow-list is checked here as well as in the pool."""
    if name not in allowed:
        raise PermissionError(name)
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def describe(error: Exception) -> dict[str, Any]:
    """A typed error's three texts, or the class name alone: messages of parsers may quote the document."""
    texts = [getattr(error, name, None) for name in ("code", "zh", "en")]
    if all(isinstance(text, str) for text in texts):
        code, zh, en = texts
        return {"error": {"code": code, "zh": zh, "en": en}}
    return {"raised": type(error).__name__}
