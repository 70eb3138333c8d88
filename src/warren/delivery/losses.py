"""Attempts that ended with their worker: the job is sent again, or, at the limit, given up."""

import logging

from django.db.models import F

from warren.delivery import endings, history, outbox
from warren.delivery.claim import LOSS_LIMIT
from warren.delivery.errors import WorkersLost
from warren.delivery.models import Job
from warren.delivery.states import State

OPEN = (State.ACCEPTED, State.QUEUED, State.RUNNING, State.RETRYING)

log = logging.getLogger(__name__)


def count(job: Job, *, reason: str) -> None:
    """Count one loss of an open job, locked by the caller's transaction; send it again, or make it dead."""
    Job.objects.filter(pk=job.pk).update(losses=F("losses") + 1)
    lost = job.losses + 1
    history.record([job.pk], kind=history.LOST, reason=reason)
    if lost < LOSS_LIMIT and outbox.send_again([job.pk], states=OPEN):
        log.warning("job %s is sent again after loss %d of %d: %s", job.pk, lost, LOSS_LIMIT, reason)
        return
    endings.end(job, state=State.DEAD, error=WorkersLost(f"given up after {lost} losses; the last: {reason}"))
    history.record([job.pk], kind=history.DEAD, reason=reason)
    log.error("job %s is dead: %s", job.pk, reason)
