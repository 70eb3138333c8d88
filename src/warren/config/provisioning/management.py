"""RabbitMQ's management API: https://www.rabbitmq.com/docs/http-api-reference."""

import logging
from collections.abc import Iterable

import httpx

PORT = 15672
TIMEOUT_S = 20.0

log = logging.getLogger(__name__)


def connect(hosts: Iterable[str], *, login: tuple[str, str]) -> httpx.Client:
    """A client for the first node that answers; what is made through one, the whole cluster has.

    If none does, for the last: then the client raises `httpx.TransportError` when it is used.
    """
    *others, last = hosts
    chosen = next((host for host in others if _answers(host)), last)
    return httpx.Client(base_url=_address(chosen), auth=login, timeout=TIMEOUT_S)


def _answers(host: str) -> bool:
    try:
        httpx.get(_address(host), timeout=TIMEOUT_S)
    except httpx.TransportError as exc:
        log.warning("RabbitMQ's node %s does not answer, the next is asked: %s", host, exc)
        return False
    return True


def _address(host: str) -> str:
    return f"http://{host}:{PORT}/api/"
