"""Opaque identifiers: a prefix that tells the kind, and 128 random bits that tell nothing."""

import re
from base64 import b32encode
from secrets import token_bytes

ID_PATTERN = re.compile(r"[a-z]{2,12}-[a-z2-7]{26}")
_PREFIX = re.compile(r"[a-z]{2,12}")


def new_id(prefix: str) -> str:
    """A new identifier, e.g. ``sea-`` and 26 lower-case base32 characters (RFC 4648 6) of 128 random bits."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"identifier prefix {prefix!r}: 2 to 12 letters a-z expected")
    return f"{prefix}-{b32encode(token_bytes(16)).decode('ascii').rstrip('=').lower()}"


def is_id(text: str) -> bool:
    """Whether ``text`` has the form that :func:`new_id` gives."""
    return ID_PATTERN.fullmatch(text) is not None
