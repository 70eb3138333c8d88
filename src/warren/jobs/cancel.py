"""Cancels jobs.

In one transaction: a job becomes cancelled if it is not final yet, what follows from it learns of that, and its message
leaves the outbox. After the commit, the workers are told to look for cancelled jobs of theirs, best effort.

    a worker finishes first        its UPDATE wins; the caller is told the state (409)
    the cancel commits first       a claim finds the job final and drops the message; a late result changes nothing
    the relay holds the message    it is skipped here: to wait for it is to wait for the broker's confirm, and could
                                   deadlock; the relay or the claim drops it
    the broker is away             workers look by themselves whenever they renew their lease
    the pool cannot stop a task    the task runs to its end, in vain, or until it asks (`delivery/cancellation.py`)
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Thread

from celery import current_app
from celery.exceptions import TaskRevokedError
from django.db import models, transaction

from warren.delivery import broker_addresses, cancellation, endings, history
from warren.delivery.history import Actor
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.states import State
from warren.jobs.errors import AlreadyFinalError

BROKER_TIMEOUT_S = 2  # for each address; the row is final already; a worker that hears of it later only wastes time

log = logging.getLogger(__name__)


class Stops(models.TextChoices):
    """When a cancelled job's work ends."""

    NEVER_STARTED = "never_started"
    NOW = "now", "now: its worker stops it, which takes a few seconds at most"
    AT_NEXT_CHECK = "at_next_check", "at_next_check: its worker cannot stop it; it ends when it asks, or by itself"
    UNKNOWN = "unknown", "unknown: its worker has not said what it can stop"


@dataclass(frozen=True)
class Outcome:
    """Cancelled jobs, each with when its work ends, and those that are not, each with the reason in a sentence."""

    cancelled: dict[str, Stops] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def cancel(job_id: str, *, by: Actor, reason: str = "") -> Stops:
    """Make the job cancelled. Raises `AlreadyFinalError` (409), and `Job.DoesNotExist`."""
    outcome = cancel_all([job_id], by=by, reason=reason)
    if job_id not in outcome.cancelled:
        raise AlreadyFinalError(state=Job.objects.get(pk=job_id).state)
    return outcome.cancelled[job_id]


def cancel_all(job_ids: Iterable[str], *, by: Actor, reason: str = "") -> Outcome:
    """Make those of the jobs cancelled that have not ended."""
    wanted = list(dict.fromkeys(job_ids))
    with transaction.atomic():
        # chords are locked one after the other below: in the order of their ids, two cancels cannot deadlock
        jobs = list(Job.objects.select_for_update().filter(pk__in=wanted).order_by("group_id", "pk"))
        still_open = [job for job in jobs if not job.is_final]
        stops = _stops(still_open)
        history.record(stops, kind=history.CANCELLED, by=by, reason=reason)
        for job in still_open:
            endings.end(job, state=State.CANCELLED, error=TaskRevokedError("cancelled"))
        waiting = OutboxMessage.objects.select_for_update(skip_locked=True).filter(job_id__in=list(stops))
        OutboxMessage.objects.filter(pk__in=[message.pk for message in waiting]).delete()
        if any(when is not Stops.NEVER_STARTED for when in stops.values()):
            transaction.on_commit(_tell_workers_aside, robust=True)
    refused = dict.fromkeys(wanted, "There is no such job.") | {job.pk: _ended(job) for job in jobs}
    return Outcome(stops, {job_id: why for job_id, why in refused.items() if job_id not in stops})


def tell_workers() -> None:
    """Ask all workers to look for cancelled jobs. Gives up quietly, with a log line, if the broker is away."""
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as broker:
            broker_addresses.connect(broker)
            current_app.control.broadcast(cancellation.LOOK, connection=broker)
    except Exception as exc:  # noqa: BLE001  whatever the broker does, the jobs are cancelled
        log.warning("workers were not told of a cancel, and will see it within seconds: %s", exc)


def _tell_workers_aside() -> None:
    """Not in the request: a broker that is away takes its time to say so."""
    Thread(target=tell_workers, daemon=True, name="tell-workers").start()


def _stops(jobs: list[Job]) -> dict[str, Stops]:
    leases = [job.lease for job in jobs if job.lease]
    pools = dict(Worker.objects.filter(pk__in=leases).values_list("pk", "pool"))
    return {job.pk: _stops_in(job, pool=pools.get(job.lease) if job.lease else None) for job in jobs}


def _stops_in(job: Job, *, pool: str | None) -> Stops:
    if job.state != State.RUNNING:
        return Stops.NEVER_STARTED
    if pool is None:
        return Stops.UNKNOWN
    return Stops.NOW if pool in cancellation.STOPPING_POOLS else Stops.AT_NEXT_CHECK


def _ended(job: Job) -> str:
    return f"It is already {job.state}; a final state never changes."
