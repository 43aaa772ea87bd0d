"""The two places of the console: where people sign in, and where principals approve. Their passkeys never mix.

A browser gives a passkey to the host that it was made for only (WebAuthn 5.1.2), so what is signed on the pages for
signing in cannot be an approval, whatever a page there asks for.
"""

from urllib.parse import urlsplit, urlunsplit

from accounts.desk import RelyingParty
from sealing.settings import Settings


def sign_in_place(settings: Settings) -> RelyingParty:
    """Where people sign in: the host of ``public_url``."""
    return _place(settings.public_url)


def approval_place(settings: Settings) -> RelyingParty:
    """Where principals approve: the host of ``approval_url``, by default ``approve.`` before that of ``public_url``."""
    if settings.approval_url:
        return _place(settings.approval_url)
    parts = urlsplit(settings.public_url)
    return _place(urlunsplit(parts._replace(netloc=f"approve.{parts.netloc}")))


def _place(address: str) -> RelyingParty:
    return RelyingParty(rp_id=str(urlsplit(address).hostname), origin=address)
