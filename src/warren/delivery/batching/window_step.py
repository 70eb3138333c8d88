"""Brings a window to Celery's consumer.

    short jobs          the window opens with what is done
    jobs take long      it closes at once; what has waited too long beyond the narrow window goes back to the broker,
                        for whoever is free
    connection lost     the consumer starts anew, with a narrow window

A quorum queue keeps to the prefetch count that a consumer began with, so the consumer is cancelled and begun again;
what it had is still its own to acknowledge.

Owner: the event loop of the worker's main process; in the green pools the consuming greenlet, and one of a timer.
"""

from functools import partial
from typing import Any

from celery import bootsteps

from warren.delivery.batching.ahead import Ahead

LOOK_EVERY_S = 1.0


class WindowStep(bootsteps.StartStopStep):
    """For a pool that holds what it has not begun. librabbitmq keeps the prefetch count that it was started with."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        if isinstance(consumer.pool, Ahead):
            # once, since a green timer that repeats cannot be cancelled
            consumer.timer.call_repeatedly(LOOK_EVERY_S, consumer.pool.give_back_surplus)

    def start(self, consumer: Any) -> None:
        """Watch the pool."""
        pool = consumer.pool
        is_amqp = consumer.connection.transport.driver_name == "py-amqp"
        if not isinstance(pool, Ahead) or not (is_amqp or consumer.connection.transport.driver_type == "redis"):
            return
        pool.window = pool.make_window(narrow=consumer.initial_prefetch_count)
        pool.on_window = partial(_resize, consumer.qos)
        if is_amqp and not consumer.qos_global:
            consumer.qos.callback = partial(_begin_again, consumer.task_consumer)

    def stop(self, consumer: Any) -> None:
        """Leave the pool as it is for any other consumer."""
        if isinstance(consumer.pool, Ahead):
            consumer.pool.window = None


def _resize(qos: Any, size: int) -> None:
    """Celery's loop tells the broker, when it has read what there is to read."""
    qos.increment_eventually(size - qos.value) if size > qos.value else qos.decrement_eventually(qos.value - size)


def _begin_again(task_consumer: Any, *, prefetch_count: int) -> None:
    task_consumer.qos(prefetch_count=prefetch_count, apply_global=False)
    task_consumer.cancel()
    task_consumer.consume()
