"""The addresses in BROKER_URL: one, or those of a cluster's nodes with `;` between them, as kombu reads them.

kombu starts with the first and goes on to the next whenever one fails; how often, is for its caller to say.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

SEPARATOR = ";"


def split(url: str) -> list[str]:
    """Each address by itself. Raises `ImproperlyConfigured` for one without a scheme: kombu would guess the rest."""
    addresses = [address.strip() for address in url.split(SEPARATOR)]
    for address in addresses:
        if "://" not in address:
            raise ImproperlyConfigured(
                f"BROKER_URL={url!r}: {address!r} is not an address; write each in full, as in "
                "pyamqp://one:5672/warren;pyamqp://two:5672/warren"
            )
    return addresses


def with_login(url: str, *, login: str) -> str:
    """The same addresses, each with `user:password` in it, quoted by the caller."""
    return SEPARATOR.join(_with_login(address, login) for address in split(url))


def connect(connection: Any) -> None:
    """Connect a kombu connection to the first address that answers; each is tried once.

    Raises kombu's `OperationalError` if none does. Without the bound kombu tries for ever, and its own `connect()`
    tries two, however many there are.
    """
    connection.ensure_connection(max_retries=max(0, len(connection.alt) - 1))


def _with_login(address: str, login: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))
