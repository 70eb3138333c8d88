"""Brings a window to Celery's consumer.

    short jobs          the window opens with what is done
    jobs take long      it closes at once; what has waited too long beyond the narrow window goes back to the broker,
                        for whoever is free
    connection lost     the consumer starts anew, with a narrow window

Owner: the event loop of the worker's main process; in the green pools the consuming greenlet, and one of a timer.
"""

import math
from functools import partial
from typing import Any

from celery import bootsteps

from warren.delivery.batching.ahead import Ahead
from warren.delivery.batching.consuming import Consuming

LOOK_EVERY_S = 1.0


class WindowStep(bootsteps.StartStopStep):
    """For a pool that holds what it has not begun. librabbitmq keeps the prefetch count that it was started with."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        if isinstance(consumer.pool, Ahead):
            # once, since a green timer that repeats cannot be cancelled
            consumer.timer.call_repeatedly(LOOK_EVERY_S, consumer.pool.look_at_window)

    def start(self, consumer: Any) -> None:
        """Watch the pool."""
        pool = consumer.pool
        is_amqp = consumer.connection.transport.driver_name == "py-amqp"
        if not isinstance(pool, Ahead) or not (is_amqp or consumer.connection.transport.driver_type == "redis"):
            return
        counts_each_queue = is_amqp and not consumer.qos_global  # else the count is of the channel, and so of all
        queues = len(consumer.task_consumer.queues) if counts_each_queue else 1
        pool.window = pool.make_window(narrow=consumer.initial_prefetch_count * queues)
        pool.on_window = partial(_resize, consumer.qos, queues=queues)
        # what Celery has told the broker already; else its loop would tell it once more
        consumer.qos.prev = consumer.qos.value
        if counts_each_queue:
            pool.consuming = Consuming(consumer)
            consumer.qos.callback = pool.consuming.resize

    def stop(self, consumer: Any) -> None:
        """Leave the pool as it is for any other consumer."""
        if isinstance(consumer.pool, Ahead):
            consumer.pool.close_window()


def _resize(qos: Any, size: int, *, queues: int) -> None:
    """Celery's loop tells the broker, when it has read what there is to read; `queues` share the size."""
    count = math.ceil(size / queues)
    qos.increment_eventually(count - qos.value) if count > qos.value else qos.decrement_eventually(qos.value - count)
