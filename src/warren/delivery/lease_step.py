"""Brings a lease to Celery's worker."""

import atexit
import logging
import os
from functools import partial
from typing import Any

from celery import bootsteps
from celery.worker import state
from django.db import InterfaceError, OperationalError, connection

from warren.delivery import cancellation, outbox
from warren.delivery.leases import Holder, Lease
from warren.delivery.states import State

log = logging.getLogger(__name__)


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
        worker.lease = Lease(holder, running=_running, cancel=self._cancel, send_again=_send_again)
        # after the pool has stopped, unlike this step's own `stop`; and however Celery ends, unlike its signal
        atexit.register(_give_up_in, os.getpid(), worker.lease)

    def start(self, worker: Any) -> None:
        """Begin to renew."""
        worker.lease.start()

    def _cancel(self, job_id: str) -> None:
        consumer = self._worker.consumer
        if consumer is not None:
            consumer.call_soon(partial(cancellation.stop, job_id, pool=consumer.pool))


def _give_up_in(pid: int, lease: Lease) -> None:
    """Only where it was taken: a forked child inherits what is to be done at the exit."""
    if os.getpid() == pid:
        lease.give_up()


def _send_again(job_ids: list[str]) -> None:
    try:
        outbox.send_again(job_ids, states=[State.RUNNING])
    except (OperationalError, InterfaceError) as exc:
        log.warning("not sent again, until the next look: %s", exc)
    finally:
        connection.close()


def _running() -> list[str]:
    return [request.id for request in list(state.active_requests)]
