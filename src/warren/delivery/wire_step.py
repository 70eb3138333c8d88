"""A worker with an event loop writes to RabbitMQ once for each turn of the loop: the acks of a batch go out together.

    before the loop waits   what was read ahead is handled, since no poll would tell of it; what was held back is sent
    connection lost         the loop is told, as by any write, and Celery connects again

Owner: the event loop of the worker's main process.
"""

from contextlib import suppress
from typing import Any

from celery import bootsteps
from celery.concurrency import solo

from warren.delivery import wire
from warren.delivery.wire import Wire


class WireStep(bootsteps.StartStopStep):
    """Takes part in the turns of the loop of prefork and threads.

    Green pools have no turns, and many who write. Solo runs its tasks within a turn: what is written must not wait for
    one, nor may one begin that the worker could still leave to others.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._turn: Any = None
        self._wire: Wire | None = None

    def start(self, consumer: Any) -> None:
        """Begin, on a new connection."""
        used = wire.of(consumer.connection)
        if used is None or consumer.hub is None or isinstance(consumer.pool, solo.TaskPool):
            return

        def turn() -> None:
            if used.has_read_ahead:
                _handle_read_ahead(consumer, used)
                for other in consumer.hub.on_tick - {turn}:
                    other()  # once more: Celery's pool looks here whether it has something to send to a child
            used.send_held_back()

        used.holds_back = used.reads_ahead = True
        self._wire, self._turn = used, turn
        consumer.hub.on_tick.add(turn)

    def stop(self, consumer: Any) -> None:
        """End; what Celery has to say at the end goes out at once."""
        used, self._wire = self._wire, None
        if used is None:
            return
        consumer.hub.on_tick.discard(self._turn)
        used.holds_back = False
        with suppress(OSError):
            used.send_held_back()


def _handle_read_ahead(consumer: Any, used: Wire) -> None:
    while used.has_read_ahead:
        try:
            consumer.connection.drain_events(timeout=0)
        except TimeoutError:
            break  # the rest of a frame is still on its way
