"""Cancels jobs.

In one transaction: a job becomes cancelled if it is not final yet, and its message leaves the outbox. After the commit,
the workers that run it are told, best effort.

    a worker finishes first        its UPDATE wins; the caller is told the state (409)
    the cancel commits first       a claim finds the job final and drops the message; a late result changes nothing
    the relay holds the message    it is skipped here: to wait for it is to wait for the broker's confirm, and could
                                   deadlock; the relay or the claim drops it
    the broker is away             the worker is not told and runs to its end, in vain
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from threading import Thread

from celery import current_app
from celery.exceptions import TaskRevokedError
from django.db import transaction

from warren.delivery import endings, history
from warren.delivery.history import Actor
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State
from warren.jobs.errors import AlreadyFinalError

BROKER_TIMEOUT_S = 2  # the row is final already; a worker that hears of it later only wastes time

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """Ids of the jobs that are cancelled, and of those that are not, each with the reason in a sentence."""

    cancelled: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def cancel(job_id: str, *, by: Actor, reason: str = "") -> None:
    """Make the job cancelled. Raises `AlreadyFinalError` (409), and `Job.DoesNotExist`."""
    outcome = cancel_all([job_id], by=by, reason=reason)
    if job_id not in outcome.cancelled:
        raise AlreadyFinalError(state=Job.objects.get(pk=job_id).state)


def cancel_all(job_ids: Iterable[str], *, by: Actor, reason: str = "") -> Outcome:
    """Make those of the jobs cancelled that have not ended."""
    wanted = list(dict.fromkeys(job_ids))
    with transaction.atomic():
        jobs = list(Job.objects.select_for_update().filter(pk__in=wanted).order_by("group_id", "pk"))
        cancelled = [job.pk for job in jobs if not job.is_final]
        history.record(cancelled, kind=history.CANCELLED, by=by, reason=reason)
        for job in jobs:
            endings.end(job, state=State.CANCELLED, error=TaskRevokedError("cancelled"))
        waiting = OutboxMessage.objects.select_for_update(skip_locked=True).filter(job_id__in=cancelled)
        OutboxMessage.objects.filter(pk__in=[message.pk for message in waiting]).delete()
        if running := [job.pk for job in jobs if job.state == State.RUNNING]:
            transaction.on_commit(partial(_tell_workers_aside, running), robust=True)
    refused = dict.fromkeys(wanted, "There is no such job.") | {job.pk: _ended(job) for job in jobs}
    return Outcome(cancelled, {job_id: why for job_id, why in refused.items() if job_id not in set(cancelled)})


def tell_workers(job_ids: list[str]) -> None:
    """Ask whichever workers run the jobs to stop them. Gives up quietly, with a log line, if the broker is away."""
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
            current_app.control.revoke(job_ids, terminate=True, signal="SIGTERM", connection=broker)
    except Exception as exc:  # noqa: BLE001  whatever the broker does, the jobs are cancelled
        log.warning("no worker was told that %s jobs are cancelled (%s): %s", len(job_ids), job_ids[0], exc)


def _tell_workers_aside(job_ids: list[str]) -> None:
    """Not in the request: a broker that is away takes its time to say so."""
    Thread(target=tell_workers, args=[job_ids], daemon=True, name="tell-workers").start()


def _ended(job: Job) -> str:
    return f"It is already {job.state}; a final state never changes."
