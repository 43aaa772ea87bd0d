"""Where a call may go: the parts of its address, and the network addresses that its name may stand for."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import urlsplit

from outbound.errors import OutboundRefusedError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Iterable[str]]
"""From a host name and a port to its addresses as text; may block; raises ``OSError``."""

_PORTS: Final = {"https": 443, "http": 80}
_TARGET: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
_CARRIES_IPV4: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
"""Networks whose addresses end with the IPv4 address they stand for (RFC 6052, 8215, 4291 2.5.5.1, 2765)."""
_NOT_PUBLIC: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16", "::/8", "4000::/2", "8000::/1"),
    )
)
"""Networks that Python takes for global and the registries of IANA do not: of public IPv6 there is 2000::/3 alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The parts of an address that was judged; ``path`` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port, as configured hosts are named."""
        return f"{self.host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The Host header (RFC 9110 7.2)."""
        return self.host if self.port == _PORTS[self.scheme] else self.authority


def parse_destination(url: str) -> Destination:
    """Read an address. Raises :class:`OutboundRefusedError` ``outbound-url-refused`` for what is never called."""
    try:
        parts = urlsplit(url) if _TARGET.fullmatch(url) else None
        port = None if parts is None else parts.port
    except ValueError:
        parts = port = None
    if parts is None or parts.scheme not in _PORTS or parts.fragment or parts.username is not None:
        raise _url_refused()
    host = parts.netloc.rpartition("@")[2].lower()
    host = re.sub(r":[0-9]*$", "", host)
    if "@" in parts.netloc or not _HOST.fullmatch(host):
        raise _url_refused()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(scheme=parts.scheme, host=host, port=port or _PORTS[parts.scheme], path=path)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name by the system's resolver."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_addresses(found: Iterable[str], host: str, networks: Iterable[Network]) -> list[Address]:
    """All addresses of a name, if every one of them may be called.

    A name that also stands for one address that may not is refused as a whole: who answers for the name decides which
    of them comes first. Raises :class:`OutboundRefusedError` ``outbound-address-refused``.
    """
    configured = tuple(networks)
    addresses = [ipaddress.ip_address(each.partition("%")[0]) for each in found]
    if not addresses or not all(_may_be_called(each, configured) for each in addresses):
        raise OutboundRefusedError(
            "outbound-address-refused",
            f"{host} 解析到不允许访问的地址；只访问公网地址或 outbound_networks 所列网段",
            f"{host} resolves to an address that is not called; expected a public one, or one of outbound_networks",
        )
    return addresses


def _may_be_called(address: Address, networks: tuple[Network, ...]) -> bool:
    real = _carried(address)
    if real.is_multicast or real.is_unspecified:
        return False
    if any(real in network for network in networks if network.version == real.version):
        return True
    return real.is_global and not any(real in network for network in _NOT_PUBLIC if network.version == real.version)


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if int(address) > 1 and any(address in network for network in _CARRIES_IPV4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _url_refused() -> OutboundRefusedError:
    return OutboundRefusedError(
        "outbound-url-refused",
        "外呼地址应为 https://主机[:端口]/路径，不得含凭据、片段或非 ASCII 字符",
        "an address to call should be https://host[:port]/path, without credentials, fragment or other than ASCII",
    )
