"""Services of other authorities: which hosts this installation calls, and the roots and credentials for them."""

from collections.abc import Iterable
from pathlib import Path

from cryptography import x509

from keystore.interface import KeyUnreadableError
from keystore.private_file import read_private
from outbound.client import OutboundClient, authority_of
from sealing.errors import InstallationError
from sealing.settings import Settings

_LONGEST_CREDENTIALS = 8192


def outbound_client(settings: Settings, urls: Iterable[str], **limits: float) -> OutboundClient:
    """A client that calls the hosts of these configured addresses and no others.

    ``limits`` are ``seconds`` and ``longest`` of :class:`OutboundClient`. Raises ``outbound.errors`` for an address
    that is none.
    """
    return OutboundClient(
        {authority_of(url) for url in urls},
        networks=settings.outbound_networks,
        roots=settings.outbound_roots,
        allow_http=settings.unsafe_outbound_http,
        **limits,  # type: ignore[arg-type]  # both are numbers
    )


def read_roots(path: Path | None) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM file of the operator's. Raises :class:`InstallationError` ``roots-unreadable``."""
    if path is None:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise InstallationError(
            "roots-unreadable", f"{path} 不是 PEM 证书文件", f"{path} is not a file of certificates in PEM"
        ) from error


def read_credentials(path: Path | None) -> str | None:
    """The value of an Authorization header from a file that only its owner reads (0600).

    Raises ``keystore.interface.KeyUnreadableError`` for another file, :class:`InstallationError`
    ``credentials-unreadable`` for one that holds no header value.
    """
    if path is None:
        return None
    content = read_private(path, limit=_LONGEST_CREDENTIALS, error=KeyUnreadableError)
    try:
        value = content.decode("ascii").strip()
    except UnicodeDecodeError:
        value = ""
    if not value or not value.isprintable():
        raise InstallationError(
            "credentials-unreadable",
            f"{path} 应只含一行 ASCII 的 Authorization 值",
            f"{path} should hold one line of ASCII, the value of an Authorization header",
        )
    return value
