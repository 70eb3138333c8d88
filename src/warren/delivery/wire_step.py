"""A worker with an event loop writes to RabbitMQ once for each turn of the loop: the acks of a batch go out together.

    before the loop waits   what was read ahead is handled, since no poll would tell of it; what was held back is sent
    connection lost         the loop is told, as by any write, and Celery connects again

Owner: the event loop of the worker's main process.
"""

from typing import Any

from celery import bootsteps

from warren.delivery import wire


class WireStep(bootsteps.StartStopStep):
    """Takes part in the turns of the loop of prefork and threads; green pools and solo have none."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._turn: Any = None

    def start(self, consumer: Any) -> None:
        """Begin, on a new connection."""
        used = wire.of(consumer.connection)
        if used is None or consumer.hub is None:
            return

        def turn() -> None:
            while used.has_read_ahead:
                try:
                    consumer.connection.drain_events(timeout=0)
                except TimeoutError:
                    break  # the rest of a frame is still on its way
            used.send_held_back()

        used.holds_back = True
        self._turn = turn
        consumer.hub.on_tick.add(turn)

    def stop(self, consumer: Any) -> None:
        """End; what Celery has to say at the end goes out at once."""
        used = wire.of(consumer.connection) if consumer.connection else None
        if used is not None:
            used.holds_back = False
        if consumer.hub is not None:
            consumer.hub.on_tick.discard(self._turn)
