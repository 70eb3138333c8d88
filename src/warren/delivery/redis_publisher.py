"""Publishes a batch of outbox messages to Redis, in the form in which kombu's Redis transport reads them.

One pipeline a batch: Redis answers each push, and that answer is the confirm. With its append-only file a push that was
answered survives the death of Redis' process; what a power cut takes is found by the reconciler.

    no dead letters    Redis counts no deliveries: the claim's attempts are what bounds a job that kills its workers
    no missing queue   a push makes its list, so the queue's name is compared with the declared ones here
    two priorities     as RabbitMQ's quorum queues have: above 4 is urgent. Redis' first is 0, so it is spelled anew
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from kombu.utils.json import dumps, loads
from redis.exceptions import RedisError

from warren.delivery.models import OutboxMessage
from warren.delivery.publisher import BrokerError
from warren.delivery.topology import MARK_PREFIX, redis_priority, redis_urgency

TIMEOUT_S = 15.0  # for each answer
PUBLISHED_AT = "published_at"  # a property of each message: ISO 8601, by Postgres' clock
BROKER_ERRORS = (RedisError, OperationalError, OSError)

log = logging.getLogger(__name__)


class RedisPublisher:
    """See `publisher.Publisher`."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._queues = frozenset(app.amqp.queues)
        self._connection: Any = None

    def publish(self, messages: list[OutboxMessage], *, at: datetime) -> dict[int, str]:
        """Push all in one pipeline; refused is what is no message, for no queue, or answered with an error."""
        refused: dict[int, str] = {}
        pushed: list[OutboxMessage] = []
        with self._dropped_on_error(), self._client().pipeline(transaction=False) as pipeline:
            for message in messages:
                try:
                    pipeline.lpush(*self._push_of(message, at=at))
                except (KeyError, TypeError, ValueError) as exc:
                    # a row that cannot be made into a message must not stop the others
                    refused[message.pk] = f"not a message: {exc!r}"
                else:
                    pushed.append(message)
            answers = pipeline.execute(raise_on_error=False)
        for message, answer in zip(pushed, answers, strict=True):
            if isinstance(answer, Exception):
                refused[message.pk] = f"Redis refused it: {answer}"
        return refused

    def waiting_since(self, queue: str, *, urgent: bool, now: datetime) -> datetime | None:
        """What the message at the end of the list says of itself; what workers have fetched is elsewhere.

        Its job cannot be asked: it may have been sent again since, and then knows of a later message.
        """
        try:
            with self._dropped_on_error():
                key = self._channel()._q_for_pri(queue, redis_urgency(urgent=urgent))  # noqa: SLF001
                text = self._client().lindex(key, -1)
        except BrokerError as exc:
            log.warning("Redis cannot tell what waits in queue %r: %s", queue, exc)
            return None
        return now if text is None else _published_at(text)

    def drain(self, queue: str, *, handle: Callable[[Any], None]) -> int:  # noqa: ARG002  there are no dead letters
        """Redis moves nothing to a dead-letter queue."""
        return 0

    def has_mark(self, name: str) -> bool:
        """Whether the key is there."""
        with self._dropped_on_error():
            return bool(self._client().exists(f"{MARK_PREFIX}{name}"))

    def leave_mark(self, name: str) -> None:
        """A key that does not expire; FLUSHALL and an empty volume take it."""
        with self._dropped_on_error():
            self._client().set(f"{MARK_PREFIX}{name}", "")

    def close(self) -> None:
        """Drop the connection; the next call opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect(socket_timeout=1)

    def _push_of(self, message: OutboxMessage, *, at: datetime) -> tuple[str, str]:
        envelope = message.job.envelope
        queue = envelope.routing_key
        if envelope.exchange or queue not in self._queues:
            raise ValueError(f"no queue takes {envelope.exchange or queue!r}")
        properties = dict(envelope.properties)
        priority = redis_priority(properties.pop("priority", None))
        channel = self._channel()
        wire = channel.prepare_message(
            envelope.body,
            priority=priority,
            content_type=properties.pop("content_type"),
            content_encoding=properties.pop("content_encoding"),
            headers=dict(envelope.headers),
            properties={**properties, "message_id": str(message.pk), PUBLISHED_AT: at.isoformat(), "delivery_info": {}},
        )
        # what kombu's basic_publish does, but for the push, which it would wait for each time
        channel._inplace_augment_message(wire, envelope.exchange, queue)  # noqa: SLF001
        return channel._q_for_pri(queue, priority), dumps(wire)  # noqa: SLF001

    def _channel(self) -> Any:
        if self._connection is None:
            timeouts = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
            connection = self._app.connection_for_write(transport_options=timeouts)
            connection.connect()
            self._connection = connection
        return self._connection.default_channel

    def _client(self) -> Any:
        return self._channel().client

    @contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        try:
            yield
        except BROKER_ERRORS as exc:
            self.close()
            raise BrokerError(f"Redis: {str(exc) or type(exc).__name__}") from exc


def _published_at(text: bytes) -> datetime | None:
    """None if it is not from a relay: of another producer, or declared `durable=False`."""
    try:
        return datetime.fromisoformat(loads(text)["properties"][PUBLISHED_AT])
    except (KeyError, TypeError, ValueError):
        return None
