"""Addresses to be called: which are taken, and what of them may be shown.

An address may carry a secret, in its query or its path even. So nothing but its host is ever named in an error or a
log, and people are shown it without user and query.
"""

from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from apps.webhooks import receivers
from apps.webhooks.errors import CallbackUrlError
from apps.webhooks.receivers import Receivers
from warren.outbound import addresses

LONGEST = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}


def checked(value: object) -> dict[str, Any]:
    """What travels with a job that wants this address called. Raises `CallbackUrlError`.

    Where its name leads is looked up when it is called, not here: it may lead elsewhere by then.
    """
    if not settings.WEBHOOK_SECRETS:
        raise CallbackUrlError("This installation calls nobody: it has no WEBHOOK_SECRET to sign with.")
    refuse_bad(value, allowed=receivers.of_settings())
    return {"url": value}


def refuse_bad(value: object, *, allowed: Receivers) -> httpx.URL:
    """The address, if it may be called. Raises `CallbackUrlError`."""
    url = _parsed(value)
    if url.userinfo:
        raise CallbackUrlError("An address must not hold a user or password; the call is signed instead.")
    if url.fragment:
        raise CallbackUrlError("An address to call has no fragment (#…).")
    if allowed.lists(url.host):
        return url
    if url.scheme != "https":
        raise CallbackUrlError("An address to call begins with https://.")
    if port_of(url) not in allowed.ports:
        ports = ", ".join(str(port) for port in sorted(allowed.ports))
        raise CallbackUrlError(f"Port {port_of(url)} may not be called; these may: {ports}.")
    _refuse_private_number(url.host, allowed)
    return url


def port_of(url: httpx.URL) -> int:
    """The port that the address leads to."""
    return url.port or _DEFAULT_PORTS[url.scheme]


def shown(url: str) -> str:
    """The address without user, query and fragment, for people to recognise it by."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no address)"
    return f"{parts.scheme}://{host}{port}{parts.path}{'?…' if parts.query else ''}"


def _parsed(value: object) -> httpx.URL:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST:
        raise CallbackUrlError(f"An address to call is a text of 1 to {LONGEST} characters.")
    if not value.isprintable() or " " in value or "\\" in value:
        raise CallbackUrlError("An address to call has neither spaces, backslashes nor control characters.")
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise CallbackUrlError("This is not an address to call.") from None  # which would quote it
    if url.scheme not in _DEFAULT_PORTS or not _is_host(url.raw_host.decode()):
        raise CallbackUrlError("An address to call begins with https:// and names a host.")
    return url


def _is_host(host: str) -> bool:
    """Whether it can be one: httpx lets more pass, such as half of a number in brackets."""
    return receivers.is_number(host) or receivers.NAME.fullmatch(host.lower().rstrip(".")) is not None


def _refuse_private_number(host: str, allowed: Receivers) -> None:
    """A number needs no look-up: whoever submits is told at once."""
    try:
        public = addresses.is_public(host) or addresses.is_in(host, allowed.networks)
    except ValueError:
        return  # a name
    if not public:
        raise CallbackUrlError(f"{host} is not a public address.")
