"""What the broker says of its queues: how many messages wait there, and how many consumers take them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import AMQPError, NotFound
from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from warren.delivery import broker_addresses
from warren.delivery.publisher import BrokerError

TIMEOUT_S = 2.0  # for each step with each address; a person waits


@dataclass(frozen=True, kw_only=True)
class Depth:
    """Of one queue. `consumers` is None where the broker knows of none: Redis."""

    messages: int
    consumers: int | None


def ask(app: Celery, queues: Iterable[str], *, url: str | None = None) -> dict[str, Depth | None]:
    """The depth of each queue, None for one that is not there. Raises `BrokerError` in bounded time.

    It needs no right but to connect. `url` is another way into the same broker than the app's own.
    """
    bounds = ("read_timeout", "write_timeout", "socket_timeout", "socket_connect_timeout")  # py-amqp's, Redis'
    options = dict.fromkeys(bounds, TIMEOUT_S)
    try:
        with app.connection_for_write(url, connect_timeout=TIMEOUT_S, transport_options=options) as connection:
            broker_addresses.connect(connection)
            return {queue: _depth(connection, queue) for queue in queues}
    except (OSError, KombuError, AMQPError, RedisError) as exc:
        raise BrokerError(str(exc) or type(exc).__name__) from exc


def _depth(connection: Any, queue: str) -> Depth | None:
    if connection.transport.driver_type == "redis":
        return Depth(messages=connection.default_channel._size(queue), consumers=None)  # noqa: SLF001  LLEN of its lists
    try:
        with connection.channel() as channel:  # its own: a missing queue closes the channel
            found = channel.queue_declare(queue, passive=True)
    except NotFound:
        return None
    return Depth(messages=found.message_count, consumers=found.consumer_count)
