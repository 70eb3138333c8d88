"""Sends the task events of workers with greenlets by the hundred; Celery does so only where it has an event loop.

One by one they are three more messages to RabbitMQ for each job, from the process that does all the work.

    a worker dies   the events of the last moment are not told: Flower learns of those jobs' ends from none

Owner: the worker's timer, a greenlet; any greenlet that fills the buffer sends it too, under the dispatcher's lock.
"""

from typing import Any

from celery import bootsteps
from kombu.common import ignore_errors

FLUSH_EVERY_S = 0.25
MOST = 100  # events in a message


class EventBufferStep(bootsteps.StartStopStep):
    """Turns on the buffer of each new dispatcher, and sends what is in it now and then."""

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._dispatcher: Any = None
        if not consumer.hub:
            # once, since a green timer that repeats cannot be cancelled
            consumer.timer.call_repeatedly(FLUSH_EVERY_S, self._flush)

    def start(self, consumer: Any) -> None:
        """Once more for each connection."""
        dispatcher = consumer.event_dispatcher
        if consumer.hub or not dispatcher.enabled:
            return
        dispatcher.buffer_group, dispatcher.buffer_limit = frozenset({"task"}), MOST
        self._dispatcher = dispatcher

    def stop(self, consumer: Any) -> None:
        """Send what is left; if that fails it is sent over the next connection."""
        ignore_errors(consumer, self._flush)
        self._dispatcher = None

    def _flush(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.flush()
