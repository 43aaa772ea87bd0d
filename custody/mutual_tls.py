"""Mutual TLS between a client and a custody process on another host: both show a certificate of the same roots."""

import ssl
from pathlib import Path

from custody.errors import CustodyAddressError


def context(folder: Path | None, *, server: bool) -> ssl.SSLContext:
    """TLS 1.3 with ``certificate.pem``, ``key.pem`` and ``roots.pem`` of ``folder``; no other roots are trusted.

    Raises :class:`CustodyAddressError`.
    """
    if folder is None:
        raise CustodyAddressError(
            "tls:// 的密钥进程需要设置 custody_tls", "a custody process at tls:// needs the setting custody_tls"
        )
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        made.load_verify_locations(folder / "roots.pem")
    except (OSError, ssl.SSLError) as problem:
        raise CustodyAddressError(
            f"{folder} 中的 certificate.pem、key.pem、roots.pem 无法使用：{problem.strerror or problem}",
            f"certificate.pem, key.pem and roots.pem in {folder} cannot be used: {problem.strerror or problem}",
        ) from None
    return made
