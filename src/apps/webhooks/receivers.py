"""Who may be called: any public host by https, and those inside the network that the operator lists.

WEBHOOK_RECEIVERS holds host names and networks. A host that is listed, by its name or because its number is in a listed
network, may be called by http too, and at any port. An address in a listed network may be called though it is private,
whatever name leads there; a listed name may lead to any address: it is the operator's own.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from warren.outbound import addresses
from warren.outbound.addresses import LookUp, Network
from warren.outbound.transport import Reach

NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*")


@dataclass(frozen=True, kw_only=True)
class Receivers:
    """Those inside the network that may be called, and the ports at which all others may."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset()

    def lists(self, host: str) -> bool:
        """Whether the host, a name or a number, is listed."""
        return host.lower() in self.names or (is_number(host) and addresses.is_in(host, self.networks))

    def reach(self, host: str, *, look_up: LookUp | None = None) -> Reach:
        """Where a connection to this host may go."""
        return Reach(allow_private=host.lower() in self.names, allowed=self.networks, look_up=look_up)


def of_settings() -> Receivers:
    """As WEBHOOK_RECEIVERS and WEBHOOK_PORTS say. Raises `ImproperlyConfigured`, which names what is wrong."""
    names, networks = set[str](), list[Network]()
    for entry in map(str.strip, settings.WEBHOOK_RECEIVERS):
        try:
            networks.append(ip_network(entry))
        except ValueError:
            names.add(_name(entry.lower()))
    return Receivers(names=frozenset(names), networks=tuple(networks), ports=frozenset(settings.WEBHOOK_PORTS))


def _name(entry: str) -> str:
    if NAME.fullmatch(entry) is None or entry.replace(".", "").isdigit():
        raise ImproperlyConfigured(
            f"WEBHOOK_RECEIVERS: {entry!r} is neither a host name nor a network such as 10.1.0.0/16"
        )
    return entry


def is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
