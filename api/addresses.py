"""Which address a request comes from: the peer's, or what a trusted proxy (``settings.trusted_proxies``) says of it.

Each proxy adds its own peer at the end of X-Forwarded-For, so the last address there that is no trusted proxy is the
caller's; what stands before it is the caller's own word.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from sealing.errors import InstallationError

Address = IPv4Address | IPv6Address


class Addresses:
    """Tells callers by their addresses. ``trusted_proxies`` are addresses or networks."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        """Raises :class:`sealing.errors.InstallationError` ``proxy-unreadable``."""
        self._proxies = tuple(_network(each) for each in trusted_proxies)

    def nearest(self, request: Request) -> Address | None:
        """The address nearest to the caller that is known for sure, at worst a proxy's; None without any."""
        found = _address(request.client.host if request.client else "")
        if found is None or not self._is_proxy(found):
            return found
        for text in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
            address = _address(text.strip())
            if address is None:
                return found
            found = address
            if not self._is_proxy(address):
                break
        return found

    def of_caller(self, request: Request) -> str | None:
        """The caller's own address; None where only a proxy is known, for whom a proxy stands is anybody's guess."""
        found = self.nearest(request)
        return None if found is None or self._is_proxy(found) else str(found)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise InstallationError(
            "proxy-unreadable",
            f"YINXIN_TRUSTED_PROXIES 中的 {text!r} 不是地址或网段",
            f"{text!r} in YINXIN_TRUSTED_PROXIES is neither an address nor a network",
        ) from error


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
