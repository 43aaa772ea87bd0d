"""The frames between pool and worker: four bytes of length, big-endian, then JSON in UTF-8."""

import json
import struct
from typing import Any

HEADER = struct.Struct(">I")
LONGEST_REQUEST = 64 * 1024 * 1024

# Whatever JSON can hold. The shape is checked by the two ends, not by the frame.
Json = Any


def encode(value: Json) -> bytes:
    """``value`` as one frame. Raises TypeError or ValueError when it is not JSON-able."""
    body = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> Json:
    """The value of a frame's body. Raises ValueError or RecursionError when the body is hostile."""
    return json.loads(body)
