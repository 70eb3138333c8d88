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
    """Takes the lease before the pool forks, renews it while the worker lives, gives it up when it has stopped."""

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
        # after the pool has stopped, unlike this step's own `stop`; and however Celery ends, unlike its signal
        atexit.register(_give_up_in, os.getpid(), worker.lease)

    def start(self, worker: Any) -> None:
        """Begin to renew."""
        worker.lease.start()

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
