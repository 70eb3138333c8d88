"""A worker's subscription to RabbitMQ, which grows and shrinks with its window.

    subscribed   RabbitMQ keeps the worker at its prefetch count
    shrinking    cancelled, because more is held than the new count; subscribed again when less is held

A quorum queue keeps to the prefetch count that a consumer began with, so it is cancelled and begun again. Under the
same tag RabbitMQ counts what the worker still holds; under another it would deliver the whole count once more. It
counts only when the consumer begins, and then delivers one for each ack, which is why a smaller window has to wait (all
of this seen with RabbitMQ 4).

    refused           an error ends Celery's loop, which connects anew
    connection lost   Celery makes a consumer anew, and the step another of these (`window_step.py`)
    told to stop      whoever cancels the consumer meanwhile has the last word

Owner: the loop that consumes; in the green pools that greenlet, which alone may read from the connection.
"""

from typing import Any

from celery.worker import state


class Consuming:
    """The subscription of one consumer, on one connection."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._size = int(consumer.initial_prefetch_count)  # of each queue
        self._cancelled: dict[str, str] = {}  # queue → tag, while shrinking

    @property
    def is_shrinking(self) -> bool:
        """Whether it is cancelled for a while."""
        return bool(self._cancelled)

    def resize(self, *, prefetch_count: int) -> None:
        """Hold so many; Celery's loop calls it, as the callback of its `qos`."""
        self._size = prefetch_count
        if not self._cancelled:
            tasks = self._consumer.task_consumer
            self._cancelled = dict(tasks._active_tags)  # noqa: SLF001  kombu tells the tags to nobody
            if not self._cancelled:
                return  # cancelled by another: the worker stops
            tasks.cancel()
        self.resume()

    def resume(self) -> None:
        """Subscribe again if that was waited for, and little enough is held."""
        tasks = self._consumer.task_consumer
        if (
            not self._cancelled
            or tasks is None
            or self._consumer.pool.window is None
            or held(self._consumer) >= self._size * len(tasks.queues)
        ):
            return
        tasks.qos(prefetch_count=self._size, apply_global=False)
        for queue in tasks.queues:
            if tag := self._cancelled.get(queue.name):
                tasks._basic_consume(queue, consumer_tag=tag, nowait=False)  # noqa: SLF001  `consume` takes no tag
        self._cancelled = {}

    def resume_soon(self) -> None:
        """Look whether to subscribe again, in the loop that consumes: it tells a prefetch count that it has not told.

        Not by `call_soon`: the loop of the green pools logs what such a call raises, and would go on unsubscribed.
        """
        if self._cancelled:
            self._consumer.qos.prev = None


def held(consumer: Any) -> int:
    """How many messages the worker has and has not acked, those that wait for a rate limit included."""
    limited = sum(len(bucket.contents) for bucket in consumer.task_buckets.values() if bucket)
    return len(state.reserved_requests) + limited
