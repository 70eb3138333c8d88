"""Questions to the broker about queues, with a bound on every wait."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import AMQPError
from celery import Celery
from kombu.exceptions import KombuError

from warren.delivery import broker_addresses

TIMEOUT_S = 2.0  # for each step; the asker may be the worker's main loop

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look at the queues found."""

    waiting: int
    unconsumed: str | None  # a queue that is missing, or that nobody consumes


class QueueInspector:
    """Looks at queues over a small connection of its own, opened on first use and dropped on any error."""

    def __init__(self, app: Celery, queues: Iterable[str]) -> None:
        self._app = app
        self._queues = tuple(queues)
        self._connection: Any = None

    def look(self) -> Look | None:
        """Declare each queue passively, which needs no right to configure; None when RabbitMQ does not answer."""
        try:
            self._open()
            return self._look()
        except _errors_of(self._connection) as exc:
            log.info("the broker cannot be asked about %s: %s", self._queues, exc)
            self.close()
            return None

    def close(self) -> None:
        """Drop the connection; the next look opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect(socket_timeout=TIMEOUT_S)

    def _open(self) -> None:
        if self._connection is None:
            bounds = ("read_timeout", "write_timeout", "socket_timeout", "socket_connect_timeout")  # py-amqp's, Redis'
            self._connection = self._app.connection_for_write(
                connect_timeout=TIMEOUT_S, transport_options=dict.fromkeys(bounds, TIMEOUT_S)
            )
            broker_addresses.connect(self._connection)

    def _look(self) -> Look:
        channel, waiting = self._connection.default_channel, 0
        if self._connection.transport.driver_type == "redis":
            # it knows no consumers; a queue that nobody reads is seen by what waits in it
            return Look(waiting=sum(channel._size(queue) for queue in self._queues), unconsumed=None)  # noqa: SLF001
        for queue in self._queues:
            try:
                found = channel.queue_declare(queue, passive=True)
            except self._connection.channel_errors:
                self.close()  # the error has closed the channel
                return Look(waiting=0, unconsumed=queue)
            if not found.consumer_count:
                return Look(waiting=0, unconsumed=queue)
            waiting += found.message_count
        return Look(waiting=waiting, unconsumed=None)


def _errors_of(connection: Any) -> tuple[type[Exception], ...]:
    """Of a broker that does not answer; None has not got as far as to know which it is."""
    if connection is None or connection.transport.driver_type != "redis":
        return OSError, KombuError, AMQPError
    from redis.exceptions import RedisError  # noqa: PLC0415  as in `publisher_choice.py`

    return OSError, KombuError, AMQPError, RedisError
