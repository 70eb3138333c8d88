"""Fails a job over its hard time limit whose task cannot be ended, just before its process is left.

It ends as Celery ends one of prefork: `TimeLimitExceeded`, and what follows from it (chord, chain, errbacks) in the
same transaction. The task's own hooks and signals are not called: they belong to the process that is about to go.

    it ended meanwhile          finished, cancelled, or taken by another worker: nothing changes
    its body has only begun     the claim had waited long for Postgres: nothing changes, it is lost with the worker
    Postgres away, or too slow  Django's errors; it is lost with the worker, and whose fault that was is not known
                                (`losses.py`)
    the process dies in it      the same; after the commit its message comes back, is of a final job, and dropped
    what ran beside it          is lost with the worker and comes back; nobody is blamed, since it is known who did it

Owner: a native thread (`health/overdue.py`), while every greenlet stands still; so with a connection of its own,
outside of the pool.
"""

from datetime import timedelta
from typing import Any

from celery import current_app
from celery.exceptions import TimeLimitExceeded
from django.db import transaction
from django.db.models.functions import Now

from warren.delivery import direct, endings, leases, losses
from warren.delivery.models import Job, Worker
from warren.delivery.states import State


def fail(job_id: str, *, limit_s: float) -> bool:
    """Make the job failed if this process has run it for longer than that; False, and nothing changed, if it has not.

    Raises Django's database errors.
    """
    with direct.orm("overdue"), transaction.atomic():
        started = Now() - timedelta(seconds=limit_s)
        running = Job.objects.filter(pk=job_id, state=State.RUNNING, lease=leases.current, started_at__lt=started)
        job = running.select_for_update().first()
        if job is None or job.lease is None:
            return False
        request = endings.request_of(job)
        request.update(job_attempt=job.attempt)
        backend: Any = current_app.backend  # JobBackend, which Celery's types do not know
        backend.mark_as_failure(job.pk, TimeLimitExceeded(limit_s), request=request)
        Worker.objects.filter(pk=job.lease).update(suspicion=losses.NOBODY)
    return True
