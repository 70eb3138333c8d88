"""Ending a job from outside: cancelled, expired, given up.

What follows from a job learns of its end in the same transaction, as it learns of a failure: a chord's body fails, the
rest of a chain fails, errbacks are sent. The job's own message tells what that is.
"""

import json
from typing import Any

from celery import current_app
from celery.app.task import Context

from warren.delivery.models import Job
from warren.delivery.states import State


def end(job: Job, *, state: State, error: Exception) -> bool:
    """Make an open job final in this state; False, and nothing changed, if it is final already.

    Raises `DatabaseUnreachableError` when Postgres stays away; inside a transaction Django's own errors.
    """
    backend: Any = current_app.backend  # JobBackend, which Celery's types do not know
    return bool(backend.end(job.pk, state=state, error=error, request=request_of(job)))


def request_of(job: Job) -> Context:
    """The request that a worker would have had; of a job that was never sent, only what the row tells."""
    if not job.message:
        return Context(id=job.pk, task=job.task, root_id=job.root_id, group=job.group_id or None)
    envelope = job.envelope
    came_from = {"routing_key": job.queue}
    embed = json.loads(envelope.embed)
    return Context(**envelope.headers, **embed, args=job.args, kwargs=job.kwargs, delivery_info=came_from)
