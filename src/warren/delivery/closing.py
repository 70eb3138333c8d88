"""Making a job final, once.

Every write is guarded: by the attempt number where the writer has claimed the job, and always by "not final yet". A
late result of a lost attempt, or of a job that was cancelled meanwhile, changes nothing.

    a time limit is over while a task waits for its claim   Celery counts from the message on, and Postgres may be slow
                               or away: the body has not had its time, so the job is not failed; it goes back
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.app.task import Context
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from warren.delivery import final_call, leases, losable
from warren.delivery.models import Job
from warren.delivery.states import FINAL, State
from warren.metrics import recording

# Of a time limit, what a body has surely had if its claim was quick.
ENOUGH = 0.5


@dataclass(frozen=True)
class Outcome:
    """How a job ends; `result` is what Celery encodes: plain data, for an exception its name and arguments.

    `limit_s` is the time limit that it ended by, in seconds.
    """

    task_id: str
    state: State
    result: Any
    traceback: Any
    request: Context | None
    limit_s: float | None = None


def close(outcome: Outcome, *, encode: Callable[[Any], Any]) -> bool:
    """Make the job final, and send what it wants then; False, and nothing changed, if it is or another attempt runs."""
    with final_call.transaction_for(outcome.request):
        if closed := _close(outcome, encode=encode):
            final_call.send(outcome.request, job_id=outcome.task_id)
    return closed


def ours(task_id: str, request: Context | None) -> QuerySet[Job]:
    """The job, while it is not final and the request may speak for it."""
    job = Job.objects.filter(pk=task_id).exclude(state__in=FINAL)
    if attempt := getattr(request, "job_attempt", None):
        # waiting once more, it was taken from this attempt: sent again, or retried by hand
        return job.filter(attempt=attempt, state__in=(State.RUNNING, State.RETRYING))
    if getattr(request, "hostname", None):
        # a worker's main process (hard time limit, lost child) knows the message, not the claim: it speaks for
        # what it holds, not for an attempt of another process, were it the one before in the same container
        return job.exclude(Q(state=State.RUNNING) & ~Q(lease=leases.current))
    return job


def _close(outcome: Outcome, *, encode: Callable[[Any], Any]) -> bool:
    if getattr(outcome.request, losable.HEADER, False):
        return True  # it has no job; what follows from it does follow
    fields: dict[str, Any] = {
        "state": outcome.state,
        "result": encode(outcome.result),
        "traceback": str(outcome.traceback or ""),
    }
    job = ours(outcome.task_id, outcome.request)
    if outcome.limit_s:
        job = job.filter(state=State.RUNNING, started_at__lt=Now() - timedelta(seconds=outcome.limit_s * ENOUGH))
    if job.update(finished_at=Now(), **fields):
        recording.changed([_kind_of(outcome.request)], state=outcome.state)
        return True
    if Job.objects.filter(pk=outcome.task_id).exists():
        return False
    # the rest of a chain, or the body of a chord, that will never be sent: whoever waits for it must learn why
    task = getattr(outcome.request, "task", None) or ""
    never_sent = Job(pk=outcome.task_id, task=task, finished_at=timezone.now(), **fields)
    Job.objects.bulk_create([never_sent], ignore_conflicts=True)
    return True


def _kind_of(request: Context | None) -> recording.Kind:
    queue = (getattr(request, "delivery_info", None) or {}).get("routing_key")
    return str(getattr(request, "task", None) or ""), str(queue or "")
