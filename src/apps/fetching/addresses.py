"""Which addresses of the internet may be visited on behalf of a user: public ones, never those of this network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# The only part of IPv6 that is given out to the public (IANA's address space registry); mapped and translated IPv4
# addresses are outside it.
_PUBLIC_IPV6 = IPv6Network("2000::/3")


class RefusedAddressError(Exception):
    """The host is inside this network, or no host of the public internet."""


class UnknownHostError(Exception):
    """The name leads to no address."""


def resolve(host: str, *, port: int, allow_private: bool) -> list[str]:
    """The host's addresses, all of them checked: connect to these, and never look the name up again.

    Raises `RefusedAddressError` if any is not public, since a name that leads both outside and inside is a trick, and
    `UnknownHostError`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UnknownHostError(f"the name {host!r} leads to no address: {exc}") from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    inside = [] if allow_private else [address for address in addresses if not is_public(address)]
    if inside:
        raise RefusedAddressError(f"{host!r} leads to {inside[0]}, which is not a public address")
    return addresses


def is_public(address: str) -> bool:
    """Whether the address, in numbers, is one of the public internet."""
    match ip_address(address):
        case IPv6Address() as v6:
            return v6 in _PUBLIC_IPV6 and v6.is_global and v6.sixtofour is None and v6.teredo is None
        case IPv4Address() as v4:
            return v4.is_global and not v4.is_multicast and not v4.is_reserved
