"""Where Purser may send to: the guard that keeps webhooks out of networks that are not public.

An address is checked and then connected to as it is, so that a name which is resolved again cannot lead elsewhere.
"""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from container_manager.exceptions import DestinationRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; metadata of one cloud
        "192.88.99.0/24",  # relays to 6to4
        "168.63.129.16/32",  # metadata of another
        "64:ff9b:1::/48",  # translation into local networks
        "fec0::/10",  # what private IPv6 networks once were
    )
)
"""What is not public although it does not look so to every version of `ipaddress`."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL, taken apart. `target` is what the request line names."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the Host header names."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str) -> Destination:
    """Raises DestinationRefused for a URL that is of another form, or that carries credentials."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise DestinationRefused("must be a URL of visible ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise DestinationRefused("is not a URL") from None
    if parts.scheme not in _PORTS or not host:
        raise DestinationRefused("must be an http:// or https:// URL with a host")
    if port == 0:
        raise DestinationRefused("must not have the port 0")
    if "@" in parts.netloc:
        raise DestinationRefused("must not carry a user name or password")
    if parts.fragment:
        raise DestinationRefused("must not have a fragment")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, target)


def check_literal(destination: Destination, allowed: Sequence[Network]) -> None:
    """Refuse at once an address that would be refused later; a name says nothing yet. Raises DestinationRefused."""
    if address := _literal(destination.host):
        _check(address, allowed, destination.host)


def resolve(destination: Destination, allowed: Sequence[Network]) -> list[Address]:
    """The addresses to connect to, all of them checked. Raises DestinationRefused, or OSError when it has none.

    One address that is not allowed refuses the name: it leads to two worlds.
    """
    try:
        found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise DestinationRefused("has a host that cannot be a name") from None
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    for address in addresses:
        _check(address, allowed, destination.host)
    return addresses


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _check(address: Address, allowed: Sequence[Network], host: str) -> None:
    for meant in {address, _meant(address)}:
        if any(meant in network for network in allowed if network.version == meant.version):
            return
    if not _is_public(address) or not _is_public(_meant(address)):
        # What a name leads to inside is not for a tenant to learn.
        where = f"{address}, which is not a public address" if _literal(host) else "an address that is not public"
        raise DestinationRefused(f"leads to {where}; PURSER_WEBHOOK_ALLOWED_NETWORKS says what else may be")


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return True  # the address that it stands for decides
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    if address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address) and address in _NAT64:
        return True
    return address.is_global and not address.is_reserved
