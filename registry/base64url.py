"""Base64url without padding (RFC 7515 2), in exactly one spelling."""

import base64
import binascii


def to_base64url(content: bytes) -> str:
    """The text of ``content``."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The bytes of ``text``. Raises ``ValueError`` for any other spelling of the same bytes."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if to_base64url(content) != text:
        raise binascii.Error("not the one base64url form")
    return content
