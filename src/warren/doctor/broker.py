"""How the doctor gets to the broker: by this container's login, or as administrator where only that is at hand."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from amqp.exceptions import AMQPError
from celery import current_app
from kombu import Connection

from warren.config.env import env
from warren.config.provisioning import broker as provisioning
from warren.delivery import broker_addresses, topology

TIMEOUT_S = 2.0  # for each step; a check has time for three


@dataclass(frozen=True, kw_only=True)
class Node:
    """One address in BROKER_URL, with a login."""

    url: str

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        return str(self.parts.hostname)

    @property
    def name(self) -> str:
        """Without the login, which nobody shall read."""
        return f"{self.host}:{self.parts.port or 5672}"

    @property
    def vhost(self) -> str:
        return unquote(self.parts.path.removeprefix("/")) or "/"

    @property
    def login(self) -> tuple[str, str]:
        return unquote(self.parts.username or "guest"), unquote(self.parts.password or "guest")


def url() -> str:
    """BROKER_URL with a login: `migrate` alone has none of its own but the administrator's password."""
    conf: Any = current_app.conf
    given = str(conf.broker_write_url)
    password = env.str(provisioning.administrator().password_variable, "")
    if urlsplit(broker_addresses.split(given)[0]).username or not password:
        return given
    return broker_addresses.with_login(given, login=f"{provisioning.ADMIN}:{quote(password, safe='')}")


def log_in() -> None:
    """Let Celery's own connections, by which workers are asked, have that login too."""
    conf: Any = current_app.conf
    conf.broker_url = conf.broker_read_url = conf.broker_write_url = url()


def is_redis() -> bool:
    """Whether the broker is Redis or Valkey; else it is RabbitMQ."""
    return topology.is_redis(current_app)


def nodes() -> list[Node]:
    """All addresses, in order."""
    return [Node(url=each) for each in broker_addresses.split(url())]


@contextmanager
def connected(node: Node) -> Iterator[Any]:
    """A connection of py-amqp's to this node alone, closed after the block. Raises what py-amqp and sockets raise."""
    bounds = dict.fromkeys(("read_timeout", "write_timeout"), TIMEOUT_S)
    transport: Any = Connection(node.url, connect_timeout=TIMEOUT_S, transport_options=bounds).transport
    established: Any = transport.establish_connection()
    try:
        yield established
    except BaseException:
        established.collect()  # without a farewell, which a frozen broker would not answer
        raise
    with suppress(AMQPError, OSError):
        established.close()
