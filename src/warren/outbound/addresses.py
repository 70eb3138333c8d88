"""Which addresses of the internet may be visited on behalf of a user: public ones, never those of this network.

Users are not told what they asked for in vain: whether a name is known here, and where it leads, would be a map of the
network to whoever tries names. The log has it.
"""

import logging
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

type Network = IPv4Network | IPv6Network
type LookUp = Callable[[str, int], Iterable[Any]]

# The only part of IPv6 that is given out to the public (IANA's address space registry); mapped and translated (NAT64)
# IPv4 addresses are outside it.
_PUBLIC_IPV6 = IPv6Network("2000::/3")

# Global by their number, and yet not hosts of the internet: the metadata services of Azure and Oracle's clouds, relays
# of 6to4, and documentation.
_NOT_HOSTS: tuple[Network, ...] = tuple(
    ip_network(each) for each in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)


log = logging.getLogger(__name__)


class NotPublicError(Exception):
    """The host is inside this network, is no host of the public internet, or there is none: which, is not said."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host!r} leads to no public address")


def resolve(
    host: str, *, port: int, allow_private: bool = False, allowed: Iterable[Network] = (), look_up: LookUp | None = None
) -> list[str]:
    """The host's addresses, all of them checked: connect to these, and never look the name up again.

    `allowed` are networks that may be visited though they are not public; `look_up` stands for the system's resolver.
    Raises `NotPublicError` if there is none, or if any may not be visited: a name that leads both outside and inside is
    a trick.
    """
    try:
        found = list((look_up or _ask_system)(host, port))
    except (OSError, UnicodeError) as exc:
        log.info("nobody is called at %r: %s", host, exc)
        raise NotPublicError(host) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    networks = tuple(allowed)
    inside = [] if allow_private else [each for each in addresses if not (is_public(each) or is_in(each, networks))]
    if inside:
        log.warning("nobody is called at %r: it leads to %s, which is not public", host, inside[0])
        raise NotPublicError(host)
    return addresses


def is_public(address: str) -> bool:
    """Whether the address, in numbers, is one of the public internet."""
    if is_in(address, _NOT_HOSTS):
        return False
    match ip_address(address):
        case IPv6Address() as v6:
            return v6 in _PUBLIC_IPV6 and v6.is_global and v6.sixtofour is None and v6.teredo is None
        case IPv4Address() as v4:
            return v4.is_global and not v4.is_multicast and not v4.is_reserved


def is_in(address: str, networks: Iterable[Network]) -> bool:
    """Whether the address, in numbers, is in one of the networks, as it is: a mapped IPv4 address is an IPv6 one."""
    number = ip_address(address)
    return any(number in network for network in networks)


def _ask_system(host: str, port: int) -> Iterable[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
