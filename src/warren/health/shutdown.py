"""SIGTERM for the pools whose shutdown Celery does not bound: all but prefork.

Celery's own handler waits inside the signal handler. Seen with Celery 5.7: under gevent that is forbidden there
(`BlockingSwitchOutError`) and the worker then waits for its longest task; threads and solo stand still for the whole
time; a greenlet that is killed looks finished, and its message is acked. So, in place of it:

    working → leaving     a signal came: stop consuming, give back what waits for a place, let the running tasks end
                          (`worker_soft_shutdown_timeout`)
    leaving → gone        none runs any more, or the time is over: the loop is told to end, which closes the connection.
                          RabbitMQ gives every unacked message to another worker, whose claim counts one more attempt
    gone too slowly       the loop is held by a task (solo, or a full pool): the process exits as it is, which to
                          RabbitMQ and Postgres is the same; no task can tell it from a power cut

Owner: the main process. The handler only sets a flag; a daemon thread (in the green pools a greenlet) does the rest.
A second signal changes nothing.
"""

import logging
import os
import signal
import threading
import time
from typing import Any

from celery import bootsteps
from celery.concurrency import prefork, solo
from celery.worker import state

from warren.delivery.batching.green import PlacesPool

LOOK_EVERY_S = 0.2
LOOP_END_S = 5.0  # the loop looks at least every two seconds whether it shall end

log = logging.getLogger(__name__)


class ShutdownStep(bootsteps.StartStopStep):
    """Takes over the signals, after Celery has installed its handlers."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._asked = False

    def include_if(self, worker: Any) -> bool:
        """Prefork's shutdown is Celery's: it can kill a child, and the message of a killed child comes back."""
        return not issubclass(worker.pool_cls, prefork.TaskPool)

    def start(self, worker: Any) -> None:
        """Begin to wait for a signal."""
        for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            signal.signal(number, self._ask)
        threading.Thread(target=self._leave_when_asked, args=(worker,), name="shutdown", daemon=True).start()

    def _ask(self, *_: Any) -> None:
        self._asked = True

    def _leave_when_asked(self, worker: Any) -> None:
        while not self._asked:
            time.sleep(LOOK_EVERY_S)
        patience_s = float(worker.app.conf.worker_soft_shutdown_timeout)
        log.warning("asked to stop: running tasks have %.0f s", patience_s)
        deadline = time.monotonic() + patience_s
        if isinstance(worker.pool, solo.TaskPool):
            _end_loop()  # it looks only after the running task, and must start no other
        else:
            worker.consumer.call_soon(_stop_consuming, worker.consumer)
        while state.active_requests and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
        log.warning("stopping; %d running tasks go back to their queues", len(state.active_requests))
        _end_loop()
        time.sleep(LOOP_END_S)
        log.warning("the loop is held up; leaving as it is")
        worker.lease.give_up()
        os._exit(os.EX_OK)


def _stop_consuming(consumer: Any) -> None:
    if consumer.task_consumer:
        consumer.task_consumer.cancel()
    if isinstance(consumer.pool, PlacesPool):
        consumer.pool.close_window()
        consumer.pool.give_back_all()


def _end_loop() -> None:
    celery_state: Any = state  # typed as if it could never be asked
    celery_state.should_terminate = os.EX_OK
