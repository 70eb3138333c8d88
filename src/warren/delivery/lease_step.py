"""Brings a lease to Celery's worker."""

import atexit
import os
from contextlib import suppress
from functools import partial
from typing import Any

from celery import bootsteps
from celery.worker import state

from warren.delivery import cancellation
from warren.delivery.leases import Holder, Lease


class LeaseStep(bootsteps.StartStopStep):
    """Takes the lease before the pool forks, renews it while the worker lives, gives it up when it stops.

    A cold shutdown, which is how ours stop, gives it up before the connection to RabbitMQ closes: what comes back to
    another worker then waits as if never started. Given up later, it would be taken from a worker as if that was lost.
    """

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._worker = worker
        holder = Holder(
            name=worker.hostname,
            pool=cancellation.pool_name(worker.pool_cls),
            concurrency=worker.concurrency,
            queues=",".join(sorted(worker.app.amqp.queues.consume_from)),
        )
        worker.lease = Lease(holder, running=lambda: [each.id for each in running()], cancel=self._cancel)
        # again, for what was still claimed after `close`, and for a warm shutdown, whose pool stops after every step's
        # `stop`; however Celery ends, unlike its signal
        atexit.register(_give_up_in, os.getpid(), worker.lease)

    def start(self, worker: Any) -> None:
        """Begin to renew."""
        worker.lease.start()

    def close(self, worker: Any) -> None:
        """Nobody waits any more for what still runs. Celery calls this of all steps before it stops any."""
        asked: Any = state.should_terminate  # an exit status, and that of success is 0
        if asked is None or asked is False:
            return
        for request in running():
            request.acknowledged = True  # its end changes nothing any more, so its message must come back
        worker.lease.give_up()

    def _cancel(self, job_id: str) -> None:
        consumer = self._worker.consumer
        if consumer is not None:
            consumer.call_soon(partial(cancellation.stop, job_id, pool=consumer.pool))


def running() -> list[Any]:
    """The requests that run now; for other threads than the worker's own, which goes on adding."""
    while True:
        with suppress(RuntimeError):  # the set changed while it was copied
            return list(state.active_requests)


def _give_up_in(pid: int, lease: Lease) -> None:
    """Only where it was taken: a forked child inherits what is to be done at the exit."""
    if os.getpid() == pid:
        lease.give_up()
