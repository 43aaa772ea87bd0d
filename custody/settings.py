"""Where a custody process listens, and what it is started with. No secret is among it: it travels as an argument."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NoReturn, Self
from urllib.parse import urlsplit

from custody.errors import CustodyAddressError

Step = Literal["before_record", "after_record", "after_use", "before_answer"]
"""Steps of a key use at which a crash test may kill the process."""
TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A local socket, or a host and port behind mutual TLS."""

    socket: Path | None = None
    host: str = ""
    port: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """``/run/yinxin/custody.sock`` or ``tls://host:port``. Raises :class:`CustodyAddressError`."""
        if "://" not in text:
            return cls(socket=Path(text).absolute()) if text else _refuse(text)
        parts = urlsplit(text)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            _refuse(text)
        if parts.scheme != TLS or not host or not port or parts.path or parts.query or parts.fragment or parts.username:
            _refuse(text)
        return cls(host=host, port=port)

    def __str__(self) -> str:
        return str(self.socket) if self.socket else f"{TLS}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """Everything a custody process is told when it starts."""

    home: Path
    """Its own folder: the record of uses, the pins, the lock. Made with mode 0700."""
    keystore: str
    """URI of the backend (``keystore.open``)."""
    key_encryption_key: Path
    log_origin: str
    listen: str
    """As :meth:`Address.read` takes it."""
    tls: Path | None = None
    """Folder with ``certificate.pem``, ``key.pem`` and ``roots.pem``, for ``tls://``."""
    users: tuple[int, ...] = ()
    """User ids that may connect, beside the one that owns the process."""
    pins: Literal["recorded", "listed"] = "recorded"
    seconds: float = 5.0
    """What one call may take, waiting included."""
    waiting: int = 64
    """Calls that may wait for the key thread."""
    linger: float | None = None
    """Seconds after the last connection until the process ends by itself; None: it stays."""
    foreground: bool = False
    """Started by a person or a service manager: the backend is opened first, and the address is told."""
    kill_at: Step | None = None
    """Crash tests only."""

    def to_argument(self) -> str:
        """One command-line argument."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_argument(cls, text: str) -> Self:
        """What :meth:`to_argument` wrote."""
        value = json.loads(text)
        for name in ("home", "key_encryption_key", "tls"):
            value[name] = Path(value[name]) if value[name] is not None else None
        return cls(**{**value, "users": tuple(value["users"])})


def _refuse(text: str) -> NoReturn:
    raise CustodyAddressError(
        f"密钥进程的地址 {text!r} 应为套接字路径或 tls://主机:端口",
        f"the address of the custody process is {text!r}; a socket's path or tls://host:port is expected",
    )
