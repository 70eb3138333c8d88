"""What the relay needs of a broker, and which broker BROKER_URL names.

One publisher is one connection, opened on first use and dropped on any error; it belongs to one thread.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from warren.delivery.models import OutboxMessage


class BrokerError(Exception):
    """The broker cannot be reached, or does not answer."""


class WaitingSince(Protocol):
    """`Publisher.waiting_since`, which is all that the reconciler needs of a broker."""

    def __call__(self, queue: str, /, *, urgent: bool, now: datetime) -> datetime | None:
        """See there."""


class Publisher(Protocol):
    """Implemented by `rabbitmq_publisher.py` and `redis_publisher.py`; `publisher_choice.py` chooses."""

    def publish(self, messages: list[OutboxMessage], *, at: datetime) -> dict[int, str]:
        """Publish all; returns the refused ones: primary key → reason. Raises `BrokerError`; then any may be there.

        What is not refused is with the broker when this returns. `at` is the moment, by Postgres' clock.
        """

    def waiting_since(self, queue: str, *, urgent: bool, now: datetime) -> datetime | None:
        """When the message was published that is next to be fetched: none that waits is older; `now` if none waits.

        Of the queue's urgent messages or of the others. None if the broker cannot tell, or is away.
        """

    def drain(self, queue: str, *, handle: Callable[[Any], None]) -> int:
        """Take every message of the queue, `handle` it and ack it; returns how many. Raises `BrokerError`."""

    def has_mark(self, name: str) -> bool:
        """Whether the broker still has what `leave_mark` made. Raises `BrokerError`."""

    def leave_mark(self, name: str) -> None:
        """Make a thing of this name that lasts as long as the broker's data. Raises `BrokerError`."""

    def close(self) -> None:
        """Drop the connection; the next call opens a new one."""
