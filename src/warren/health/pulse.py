"""A worker's liveness: `worker.alive` is touched by the loop that does the work, so a stuck loop goes stale.

    pool               who touches it
    prefork, threads   a timer of the event loop that reads from RabbitMQ and feeds the pool
    gevent, eventlet   a greenlet that wakes by timer: a task that blocks the green loop blocks it too
    solo               a timer of the event loop; but solo runs tasks inside that loop, so while a task runs a thread
                       vouches for it, up to the hard time limit, which solo cannot enforce: a task over it is a stuck
                       loop. What was known of readiness stands meanwhile
    any                while RabbitMQ is away nothing of the above turns; then every second of the wait between two
                       attempts to connect counts, because liveness must not depend on another service

Owner: the worker's main process. Forked children inherit the object but run no loop of the parent's, so they never
touch the file; solo, which alone has a thread, never forks. A crash of the process, or of its loop, leaves the file to
age.
"""

import threading
import time
from typing import Any

from celery import bootsteps
from celery.concurrency import solo
from celery.worker import consumer as celery_consumer
from celery.worker import state

from warren.delivery.batching.green import PlacesPool
from warren.health.heartbeat import INTERVAL_S, Heartbeat
from warren.health.strategies import Strategies

# What a task may take beyond its hard time limit before solo's loop counts as stuck.
GRACE_S = 60.0

# Between two attempts to connect. Celery goes up to 30 s, which a restarted RabbitMQ's jobs would have to wait.
LONGEST_RECONNECT_S = 4

# Celery's step → ours in its place
_OURS = {"celery.worker.consumer.control:Control": "warren.health.remote_control:RemoteControl"}

_CeleryBlueprint = celery_consumer.Consumer.Blueprint


class Pulse:
    """Touches `worker.alive`, at most once per interval however often the loop turns."""

    def __init__(self) -> None:
        self._heartbeat = Heartbeat("worker")
        self._shown_at = float("-inf")

    def beat(self) -> None:
        """The loop turned."""
        now = time.monotonic()
        if now - self._shown_at >= INTERVAL_S * 0.9:  # timers may fire a little early
            self._shown_at = now
            self._heartbeat.show_alive()

    def vouch_for_running_task(self, time_limit_s: float | None) -> None:
        """The loop does not turn, but if that is for a task within its time, all is as it was."""
        oldest = min(
            (request.time_start for request in list(state.active_requests) if request.time_start), default=None
        )
        if oldest is not None and (time_limit_s is None or time.time() - oldest < time_limit_s + GRACE_S):
            self.beat()
            self._heartbeat.keep_ready()


class PulseStep(bootsteps.StartStopStep):
    """Gives the worker a pulse, and lets its loop beat it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        worker.pulse = Pulse()

    def start(self, worker: Any) -> None:
        """Begin to beat; the consumer, which blocks, starts after all other steps."""
        worker.pulse.beat()
        worker.timer.call_repeatedly(INTERVAL_S, worker.pulse.beat)
        if isinstance(worker.pool, solo.TaskPool):
            threading.Thread(target=_vouch, args=(worker.pulse, worker.time_limit), name="pulse", daemon=True).start()


class Consumer(celery_consumer.Consumer):
    """Celery's consumer, which also beats while it waits for RabbitMQ, and learns of tasks while it runs."""

    app: Any
    controller: Any  # the worker

    class Blueprint(_CeleryBlueprint):  # type: ignore[misc, valid-type]  # Celery's stubs call this class a variable
        """Without Celery's native delayed delivery, 28 queues that the outbox makes needless, but with our steps."""

        default_steps = tuple(
            _OURS.get(str(step), step) for step in _CeleryBlueprint.default_steps if "delayed" not in str(step)
        )

    def __init__(self, *args: Any, app: Any, **kwargs: Any) -> None:
        """Celery's forgets, under gevent, how long it may take to connect, for a bug that gevent no longer has.

        Then whoever connects to an address that has just vanished waits for as long as the kernel tries: two minutes.
        """
        connect_timeout_s = app.conf.broker_connection_timeout
        super().__init__(*args, app=app, **kwargs)  # type: ignore[misc]  # Celery passes the first by position alone
        app.conf.broker_connection_timeout = connect_timeout_s

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Celery's closes the connection, which may take a while, in which places become free."""
        if isinstance(self.pool, PlacesPool):
            self.pool.flush()
        super().on_connection_error_after_connected(exc)

    def Strategies(self) -> Strategies:  # type: ignore[override]  # noqa: N802  Celery calls it to make `self.strategies`
        """Task name → what to do with a message of it."""
        return Strategies(self)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, trying again for ever; beats at each attempt and each second between two.

        Also when it connects at once: a queue that is missing ends each connection before the loop turns.
        """
        self.controller.pulse.beat()
        connect = conn.ensure_connection

        def connect_beating(errback: Any, max_retries: int | None, callback: Any) -> Any:
            def between_attempts() -> None:
                self.controller.pulse.beat()
                callback()

            return connect(errback, max_retries, interval_max=LONGEST_RECONNECT_S, callback=between_attempts)

        conn.ensure_connection = connect_beating
        return super().ensure_connected(conn)


def _vouch(pulse: Pulse, time_limit_s: float | None) -> None:
    while True:
        time.sleep(INTERVAL_S)
        pulse.vouch_for_running_task(time_limit_s)
