"""What the relay needs of a broker, and which broker BROKER_URL names.

One publisher is one connection, opened on first use and dropped on any error; it belongs to one thread.
"""

from collections.abc import Callable
from typing import Any, Protocol

from warren.delivery.models import OutboxMessage


class BrokerError(Exception):
    """The broker cannot be reached, or does not answer."""


class Publisher(Protocol):
    """Implemented by `rabbitmq_publisher.py` and `redis_publisher.py`; `publisher_choice.py` chooses."""

    def publish(self, messages: list[OutboxMessage]) -> dict[int, str]:
        """Publish all; returns the refused ones: primary key → reason. Raises `BrokerError`; then any may be there.

        What is not refused is with the broker when this returns.
        """

    def messages_ready(self, queue: str) -> int | None:
        """How many messages of the queue no worker has fetched; None if there is no such queue, or no broker."""

    def drain(self, queue: str, *, handle: Callable[[Any], None]) -> int:
        """Take every message of the queue, `handle` it and ack it; returns how many. Raises `BrokerError`."""

    def has_mark(self, name: str) -> bool:
        """Whether the broker still has what `leave_mark` made. Raises `BrokerError`."""

    def leave_mark(self, name: str) -> None:
        """Make a thing of this name that lasts as long as the broker's data. Raises `BrokerError`."""

    def close(self) -> None:
        """Drop the connection; the next call opens a new one."""
