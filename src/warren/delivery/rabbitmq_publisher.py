"""Publishes a batch of outbox messages to RabbitMQ with pipelined confirms.

kombu waits for one confirm per message, a round trip each; here all messages go out first and the confirms are
collected after, on a channel of our own (https://www.rabbitmq.com/docs/confirms). `mandatory` makes RabbitMQ return
what no queue takes: it would confirm that too.
"""

import logging
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from amqp.exceptions import AMQPError, FrameSyntaxError, NotFound
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError

from warren.delivery import broker_addresses, wire
from warren.delivery.models import OutboxMessage
from warren.delivery.publisher import BrokerError
from warren.delivery.topology import MARK_PREFIX

CONFIRM_TIMEOUT_S = 15.0  # a broker under a memory or disk alarm stops answering; the rows stay with us meanwhile
ANSWER_TIMEOUT_S = 15.0  # a broker that is frozen keeps the connection, and the kernel vouches for it
BROKER_ERRORS = (AMQPError, OperationalError, OSError)

log = logging.getLogger(__name__)


class RabbitMQPublisher:
    """See `publisher.Publisher`."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Any = None
        self._channel: Any = None
        self._next_tag = 1
        self._unanswered: dict[int, OutboxMessage] = {}
        self._refused: dict[int, str] = {}

    def publish(self, messages: list[OutboxMessage], *, at: datetime) -> dict[int, str]:  # noqa: ARG002  `waiting_since`
        """Publish all; returns the refused ones: primary key → reason. Raises `BrokerError`; then any may be there."""
        if not messages:
            return {}
        self._unanswered, self._refused = {}, {}
        with self._dropped_on_error():
            self._open()
            with wire.sent_together(self._connection):
                for message in messages:
                    self._send_or_refuse(message)
            self._collect()
        return self._refused

    def waiting_since(self, queue: str, *, urgent: bool, now: datetime) -> datetime | None:  # noqa: ARG002  it counts both
        """RabbitMQ shows no message without handing it out, so it can only tell that none waits.

        That is enough: it gives what a dead worker had to others by itself.
        """
        try:
            self._open()
            with self._connection.channel() as channel:  # its own: a missing queue closes the channel
                return None if channel.queue_declare(queue, passive=True).message_count else now
        except BROKER_ERRORS as exc:
            log.warning("RabbitMQ cannot tell the length of queue %r: %s", queue, exc)
            return None

    def has_mark(self, name: str) -> bool:
        """Whether the broker still has what `leave_mark` made. Raises `BrokerError`."""
        with self._dropped_on_error():
            self._open()
            try:
                with self._connection.channel() as channel:  # its own: a missing exchange closes the channel
                    channel.exchange_declare(f"{MARK_PREFIX}{name}", "direct", passive=True)
            except NotFound:
                return False
        return True

    def leave_mark(self, name: str) -> None:
        """Make a thing of this name that lasts as long as the broker's data. Raises `BrokerError`.

        An exchange: every node of a cluster has it, while a queue is away with its node.
        """
        with self._dropped_on_error():
            self._open()
            with self._connection.channel() as channel:
                channel.exchange_declare(f"{MARK_PREFIX}{name}", "direct", durable=True, auto_delete=False)

    def drain(self, queue: str, *, handle: Callable[[Any], None]) -> int:
        """Take every message of the queue, `handle` it and ack it; returns how many. Raises `BrokerError`."""
        count = 0
        with self._dropped_on_error():
            self._open()
            with self._connection.channel() as channel:
                while (message := Queue(queue, no_declare=True)(channel).get()) is not None:
                    handle(message)
                    message.ack()
                    count += 1
        return count

    def close(self) -> None:
        """Drop the connection; the next publish opens a new one."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.collect(socket_timeout=1)

    @contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        try:
            yield
        except BROKER_ERRORS as exc:
            self.close()
            raise BrokerError(f"RabbitMQ: {str(exc) or type(exc).__name__}") from exc

    def _open(self) -> None:
        if self._channel is not None:
            return
        bounds = {"read_timeout": ANSWER_TIMEOUT_S, "write_timeout": ANSWER_TIMEOUT_S}
        self._connection = self._app.connection_for_write(transport_options=bounds)
        broker_addresses.connect(self._connection)
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._next_tag = 1

    def _send_or_refuse(self, message: OutboxMessage) -> None:
        try:
            self._send(message)
        except (KeyError, TypeError, ValueError, struct.error, FrameSyntaxError) as exc:
            # a row that cannot be made into a message must not stop the others
            self._refused[message.pk] = f"not a message: {exc!r}"

    def _send(self, message: OutboxMessage) -> None:
        envelope = message.job.envelope
        properties = dict(envelope.properties)
        wire = self._channel.prepare_message(
            envelope.body,
            priority=properties.pop("priority", None) or 0,
            content_type=properties.pop("content_type"),
            content_encoding=properties.pop("content_encoding"),
            headers=dict(envelope.headers),
            properties={**properties, "message_id": str(message.pk)},
        )
        publish = self._channel._basic_publish  # noqa: SLF001  basic_publish may wait for a confirm each time
        publish(wire, envelope.exchange, envelope.routing_key, mandatory=True)
        self._unanswered[self._next_tag] = message
        self._next_tag += 1

    def _collect(self) -> None:
        deadline = time.monotonic() + CONFIRM_TIMEOUT_S
        while self._unanswered:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(self._unanswered)} messages unconfirmed after {CONFIRM_TIMEOUT_S} s")
            try:
                self._connection.drain_events(timeout=left)
            except TimeoutError as exc:
                raise TimeoutError(f"{len(self._unanswered)} messages unconfirmed") from exc

    def _answered(self, tag: int, *, multiple: bool) -> list[OutboxMessage]:
        tags = [each for each in self._unanswered if each <= tag] if multiple else [tag]
        return [self._unanswered.pop(each) for each in tags]

    def _on_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  py-amqp passes it by position
        self._answered(tag, multiple=multiple)

    def _on_nack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  py-amqp passes it by position
        for message in self._answered(tag, multiple=multiple):
            self._refused[message.pk] = f"RabbitMQ refused it (nack) for queue {message.job.queue!r}"

    def _on_return(self, reply: Any, _exchange: str, routing_key: str, returned: Any) -> None:
        self._refused[int(returned.properties["message_id"])] = f"no queue takes {routing_key!r}: {reply}"
