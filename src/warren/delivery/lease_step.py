"""Brings a lease to Celery's worker."""

import atexit
import os
from typing import Any

from celery import bootsteps
from celery.worker import state

from warren.delivery.leases import Holder, Lease


class LeaseStep(bootsteps.StartStopStep):
    """Takes the lease before the pool forks, renews it while the worker lives, gives it up when it has stopped."""

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._worker = worker
        holder = Holder(
            name=worker.hostname,
            pool=worker.pool_cls.__module__.rpartition(".")[2],
            concurrency=worker.concurrency,
            queues=",".join(sorted(worker.app.amqp.queues.consume_from)),
        )
        worker.lease = Lease(holder, running=_running, cancel=self._cancel)
        # after the pool has stopped, unlike this step's own `stop`; and however Celery ends, unlike its signal
        atexit.register(_give_up_in, os.getpid(), worker.lease)

    def start(self, worker: Any) -> None:
        """Begin to renew."""
        worker.lease.start()

    def _cancel(self, job_id: str) -> None:
        consumer = self._worker.consumer
        if consumer is not None:
            consumer.call_soon(self._terminate, job_id)

    def _terminate(self, job_id: str) -> None:
        request = state.requests.get(job_id)
        if request is not None and not request._already_revoked:  # noqa: SLF001  as Celery's own revoke does
            state.revoked.add(job_id)
            request.terminate(self._worker.consumer.pool)


def _give_up_in(pid: int, lease: Lease) -> None:
    """Only where it was taken: a forked child inherits what is to be done at the exit."""
    if os.getpid() == pid:
        lease.give_up()


def _running() -> list[str]:
    return [request.id for request in list(state.active_requests)]
