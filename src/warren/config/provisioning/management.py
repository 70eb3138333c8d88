"""RabbitMQ's management API: https://www.rabbitmq.com/docs/http-api-reference."""

import logging
import ssl
from collections.abc import Iterable

import httpx

PORT = 15672
TLS_PORT = 15671
TIMEOUT_S = 20.0

log = logging.getLogger(__name__)


def connect(hosts: Iterable[str], *, login: tuple[str, str], tls: ssl.SSLContext | None = None) -> httpx.Client:
    """A client for the first node that answers; what is made through one, the whole cluster has.

    If none does, for the last: then the client raises `httpx.TransportError` when it is used. With `tls` by HTTPS.
    """
    *others, last = (_address(host, tls=tls) for host in hosts)
    verify = tls or True
    chosen = next((address for address in others if _answers(address, verify=verify)), last)
    return httpx.Client(base_url=chosen, auth=login, timeout=TIMEOUT_S, verify=verify)


def _answers(address: str, *, verify: ssl.SSLContext | bool) -> bool:
    try:
        httpx.get(address, timeout=TIMEOUT_S, verify=verify)
    except httpx.TransportError as exc:
        log.warning("RabbitMQ does not answer at %s, the next node is asked: %s", address, exc)
        return False
    return True


def _address(host: str, *, tls: ssl.SSLContext | None) -> str:
    return f"https://{host}:{TLS_PORT}/api/" if tls else f"http://{host}:{PORT}/api/"
