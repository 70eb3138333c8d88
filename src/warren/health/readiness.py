"""A worker's readiness: `worker.ready` is touched while the worker consumes; one that only looks alive is found out.

    CONSUMING       touched
    NOT_CONSUMING   removed. The connection is gone; a queue that this worker was started for has no consumer of ours
                    (`control cancel_consumer`, the queue was deleted); or the worker is stalled: its queues have
                    messages, it has room, and yet nothing came between two looks at them
    DOUBTFUL        neither: RabbitMQ could not be asked. The file ages, so doubt that lasts for 30 s is a no

Owner: the worker's main process, on Celery's own timer: a greenlet in the green pools, the event loop in all others.
Only prefork forks, and its children run no timers. Where the timer is the loop that does the work, a question to
RabbitMQ holds it up: it is asked only when this worker has room and receives nothing, every 10 s (5 s while it suspects
a stall), and its waits are bounded.

A crash of the process or its loop leaves the file to age.
"""

import logging
import time
from enum import Enum, auto
from typing import Any

from celery import bootsteps

from warren.delivery.batching import consuming
from warren.delivery.batching.ahead import Ahead
from warren.health.heartbeat import INTERVAL_S, Heartbeat
from warren.health.inspector import QueueInspector

QUESTION_EVERY_S = 10.0  # a stall is found out after one such wait and an interval
LOOKS_AT_A_LOST_CONNECTION = 3  # a loop that learns of the loss itself stops us long before
TIMER_SLACK_S = 1.0  # timers fire a little early

log = logging.getLogger(__name__)


class Verdict(Enum):
    """See the module's docstring."""

    CONSUMING = auto()
    NOT_CONSUMING = auto()
    DOUBTFUL = auto()


class ReadinessStep(bootsteps.StartStopStep):
    """Looks every interval whether the worker consumes, and shows it; says no at once when the consumer stops."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._heartbeat = Heartbeat("worker")
        self._heartbeat.withdraw_ready()  # the word of a predecessor
        self._queues = tuple(consumer.app.amqp.queues.consume_from)
        self._inspector = QueueInspector(consumer.app, self._queues)
        self._started = False
        self._lost = 0
        self._received = self._received_before = 0
        self._waited_before = False
        self._asked_at = float("-inf")
        self._answer = (Verdict.DOUBTFUL, "not asked yet")
        consumer.on_task_message.add(self._note_received)
        # registered once, here: prefork's loop forgets timers that were set while it connected, and a green timer
        # that repeats cannot be cancelled
        consumer.timer.call_repeatedly(INTERVAL_S, self.check, (consumer,))

    def start(self, consumer: Any) -> None:
        """The consumer is connected (again); it consumes from the moment its loop starts."""
        self._started, self._lost, self._waited_before, self._asked_at = True, 0, False, float("-inf")
        consumer.timer.call_after(1, self.check, (consumer,))  # do not keep a rolling update waiting for the interval

    def stop(self, _consumer: Any) -> None:
        """The connection is lost, or the worker stops."""
        self._started = False
        self._heartbeat.withdraw_ready()

    def check(self, consumer: Any) -> None:
        """Touch the file, remove it, or leave it to age. Raises `ConnectionResetError` for a loop that is cut off."""
        if not self._started:
            return
        verdict, reason = self._judge(consumer)
        if verdict is Verdict.CONSUMING:
            self._heartbeat.show_ready()
        elif verdict is Verdict.NOT_CONSUMING:
            log.warning("not ready: %s", reason)
            self._heartbeat.withdraw_ready()
        self._end_cut_off_loop(consumer)

    def _end_cut_off_loop(self, consumer: Any) -> None:
        """An event loop whose connection was dropped beneath it turns for ever; seen with librabbitmq.

        It takes a connection error from a timer as the loss of the connection, and connects again.
        """
        lost = consumer.connection is not None and not consumer.connection.connected
        self._lost = self._lost + 1 if lost else 0
        if self._lost >= LOOKS_AT_A_LOST_CONNECTION and consumer.controller.use_eventloop:
            self._lost = 0
            raise ConnectionResetError("the connection to RabbitMQ is gone and the loop has not noticed")

    def _judge(self, consumer: Any) -> tuple[Verdict, str]:
        connection, tasks = consumer.connection, consumer.task_consumer
        if not (connection and connection.connected and tasks):
            return Verdict.NOT_CONSUMING, "no connection to RabbitMQ"
        for queue in self._queues:
            if not (tasks.consuming_from(queue) or _is_shrinking(consumer.pool)):
                return Verdict.NOT_CONSUMING, f"queue {queue!r} is not consumed"
        came, self._received_before = self._received != self._received_before, self._received
        if came or not _has_room(consumer):
            self._waited_before = False
            return Verdict.CONSUMING, "at work"
        if self._waited_before or time.monotonic() - self._asked_at >= QUESTION_EVERY_S - TIMER_SLACK_S:
            self._asked_at = time.monotonic()
            self._answer = self._ask()
        return self._answer

    def _ask(self) -> tuple[Verdict, str]:
        look = self._inspector.look()
        if look is None:
            return Verdict.DOUBTFUL, "RabbitMQ does not answer"
        if look.unconsumed is not None:
            return Verdict.NOT_CONSUMING, f"nobody consumes queue {look.unconsumed!r}"
        waited_before, self._waited_before = self._waited_before, look.waiting > 0
        if waited_before and look.waiting:
            return Verdict.NOT_CONSUMING, f"{look.waiting} messages wait in {self._queues} and none arrives"
        return Verdict.CONSUMING, "idle"

    def _note_received(self, _request: Any) -> None:
        self._received += 1


def _has_room(consumer: Any) -> bool:
    """Whether a slot of the pool is free. Messages that wait for a rate limit are held, and fill their slot.

    Slots, not prefetch: solo leaves prefetched messages unread in the socket, and rightly so.
    """
    return consuming.held(consumer) < int(consumer.pool.num_processes)


def _is_shrinking(pool: Any) -> bool:
    """Whether it has cancelled its consumer for a while, because it holds more than it wants to."""
    return isinstance(pool, Ahead) and pool.consuming is not None and pool.consuming.is_shrinking
