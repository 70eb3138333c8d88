"""Cancels a job.

In one transaction: the job becomes cancelled if it is not final yet, and its message leaves the outbox. After the
commit, a worker that runs it is told, best effort.

    a worker finishes first        its UPDATE wins; the caller is told the state (409)
    the cancel commits first       a claim finds the job final and drops the message; a late result changes nothing
    the relay holds the message    it is skipped here: to wait for it is to wait for the broker's confirm, and could
                                   deadlock; the relay or the claim drops it
    the broker is away             the worker is not told and runs to its end, in vain
"""

import logging
from functools import partial
from threading import Thread

from celery import current_app
from django.db import transaction
from django.db.models.functions import Now

from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State
from warren.jobs.errors import AlreadyFinalError

BROKER_TIMEOUT_S = 2  # the row is final already; a worker that hears of it later only wastes time

log = logging.getLogger(__name__)


def cancel(job_id: str) -> Job:
    """Make the job cancelled and return it. Raises `AlreadyFinalError` (409), and `Job.DoesNotExist`."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.is_final:
            raise AlreadyFinalError(state=job.state)
        Job.objects.filter(pk=job_id, state=job.state).update(state=State.CANCELLED, finished_at=Now())
        waiting = OutboxMessage.objects.select_for_update(skip_locked=True).filter(job_id=job_id)
        OutboxMessage.objects.filter(pk__in=[message.pk for message in waiting]).delete()
        if job.state == State.RUNNING:
            transaction.on_commit(partial(_tell_workers_aside, job_id), robust=True)
    job.refresh_from_db()
    return job


def _tell_workers_aside(job_id: str) -> None:
    """Not in the request: a broker that is away takes its time to say so."""
    Thread(target=tell_workers, args=[job_id], daemon=True, name=f"revoke-{job_id}").start()


def tell_workers(job_id: str) -> None:
    """Ask whichever worker runs the job to stop it. Gives up quietly, with a log line, if the broker is away."""
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
            current_app.control.revoke(job_id, terminate=True, signal="SIGTERM", connection=broker)
    except Exception as exc:  # noqa: BLE001  whatever the broker does, the job is cancelled
        log.warning("no worker was told that job %s is cancelled: %s", job_id, exc)
