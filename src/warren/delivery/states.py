"""The states of a job, and how Celery's users know them.

accepted → queued → running → (retrying →) succeeded | failed | cancelled | expired | dead
"""

from celery import states as celery_states
from django.db import models


class State(models.TextChoices):
    """Where a job stands."""

    ACCEPTED = "accepted"  # in Postgres; not yet given to RabbitMQ, or not yet due
    QUEUED = "queued"  # RabbitMQ has it
    RUNNING = "running"  # a worker has claimed it
    RETRYING = "retrying"  # an attempt asked for another; waiting until that is due
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DEAD = "dead"  # given up on: it killed its workers too often


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED, State.DEAD})
OPEN = tuple(state for state in State if state not in FINAL)


def in_states(*states: str) -> models.Q:
    """What to filter jobs by, so that the index of open jobs is used if all the states are open."""
    chosen = models.Q(state__in=states)
    return chosen & models.Q(finished_at__isnull=True) if FINAL.isdisjoint(states) else chosen


TO_CELERY = {
    State.ACCEPTED: celery_states.PENDING,
    State.QUEUED: celery_states.PENDING,
    State.RUNNING: celery_states.STARTED,
    State.RETRYING: celery_states.RETRY,
    State.SUCCEEDED: celery_states.SUCCESS,
    State.FAILED: celery_states.FAILURE,
    State.CANCELLED: celery_states.REVOKED,
    State.EXPIRED: celery_states.REVOKED,
    State.DEAD: celery_states.FAILURE,
}

FROM_CELERY = {
    celery_states.STARTED: State.RUNNING,
    celery_states.RETRY: State.RETRYING,
    celery_states.SUCCESS: State.SUCCEEDED,
    celery_states.FAILURE: State.FAILED,
    celery_states.REVOKED: State.CANCELLED,
}
