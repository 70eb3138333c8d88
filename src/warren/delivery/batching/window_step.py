"""Brings a window to Celery's consumer.

    short jobs          the window opens with each batch that is done
    jobs take long      it closes at once; what has waited too long beyond the narrow window goes back to the broker,
                        for whoever has a child free
    connection lost     the consumer starts anew, with a narrow window

A quorum queue keeps to the prefetch count that a consumer began with, so the consumer is cancelled and begun again;
what it had is still its own to acknowledge.

Owner: the event loop of the worker's main process.
"""

from functools import partial
from typing import Any

from celery import bootsteps

from warren.delivery.batching.pool import BatchingPool
from warren.delivery.batching.window import Window

LOOK_EVERY_S = 1.0


class WindowStep(bootsteps.StartStopStep):
    """For a pool that hands out batches. librabbitmq keeps the prefetch count that the worker was started with."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Watch the pool."""
        pool = consumer.pool
        is_amqp = consumer.connection.transport.driver_name == "py-amqp"
        if not isinstance(pool, BatchingPool) or not (is_amqp or consumer.connection.transport.driver_type == "redis"):
            return
        pool.window = Window(narrow=consumer.initial_prefetch_count, children=pool.num_processes)
        pool.on_window = partial(_resize, consumer.qos)
        if is_amqp and not consumer.qos_global:
            consumer.qos.callback = partial(_begin_again, consumer.task_consumer)
        self._timer = consumer.timer.call_repeatedly(LOOK_EVERY_S, pool.give_back_surplus)

    def stop(self, consumer: Any) -> None:
        """Leave the pool as it is for any other consumer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = consumer.pool.window = None


def _resize(qos: Any, size: int) -> None:
    """Celery's loop tells the broker, when it has read what there is to read."""
    qos.increment_eventually(size - qos.value) if size > qos.value else qos.decrement_eventually(qos.value - size)


def _begin_again(task_consumer: Any, *, prefetch_count: int) -> None:
    task_consumer.qos(prefetch_count=prefetch_count, apply_global=False)
    task_consumer.cancel()
    task_consumer.consume()
