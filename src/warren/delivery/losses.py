"""Attempts that ended with their worker: the job is sent again, or, at the limit, given up.

Whose fault was it? A prefork child runs one job, and that one is blamed. A process of greenlets or threads dies with
all that it ran, and most of it is innocent:
    blame    falls only on the jobs that had the most losses already. After the first crash all have one; at the second
             the culprit is among those few that were there before
    spread   those that ran in such a process come back one by one over some seconds, longer after each loss, and the
             relay lets few of them out at a time (`suspects.py`), so that the culprit's next crash meets few others

    a worker is lost again and again   its culprit ends dead after LOSS_LIMIT losses; a job that merely ran beside it
                                       loses time
    a worker left on purpose           its culprit has failed already (`over_limit.py`): nobody is blamed
    two processes count at once        the lost worker's row is locked: both see the same suspicion
"""

import logging
import random
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from warren.delivery import endings, history, outbox, outcomes, savepoint
from warren.delivery.errors import WorkersLost
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.states import OPEN, State, in_states
from warren.metrics import recording

# A task that killed five workers will kill the sixth.
LOSS_LIMIT = 5
LONGEST_SPREAD_S = 60.0
# the suspicion of a worker whose culprit is known: no job has so many losses
NOBODY = LOSS_LIMIT

ONE_JOB_A_PROCESS = ("prefork", "solo")

log = logging.getLogger(__name__)


def try_to_count(job: Job, *, reason: str) -> bool:
    """As `count`; False if that failed, which is logged, and changes nothing of the transaction around it."""
    return savepoint.attempt(partial(count, job, reason=reason), what=f"the loss of job {job.pk}") is None


def count(job: Job, *, reason: str) -> None:
    """Note that an open job, locked by the caller's transaction, was lost; send it again, or make it dead."""
    holder = _shared_worker_of(job)
    blamed = job.losses >= _suspicion_of(holder) if holder else job.state == State.RUNNING or not job.attempt
    lost = job.losses + blamed
    if lost == LOSS_LIMIT and holder and not _is_alone_suspect(job, holder):
        lost -= 1  # one more try, for which it goes out alone (`suspects.py`)
    Job.objects.filter(pk=job.pk).update(losses=lost)
    recording.lost([job.queue])
    history.record([job.pk], kind=history.LOST, reason=reason if blamed else f"{reason}, by another job that it ran")
    if lost < LOSS_LIMIT and outbox.send_again([job.pk], states=OPEN):
        if holder is not None:
            _delay(job.pk, longest_s=min(2.0**lost, LONGEST_SPREAD_S))
        log.warning("job %s is sent again, losses %d of %d: %s", job.pk, lost, LOSS_LIMIT, reason)
        return
    endings.end(job, state=State.DEAD, error=WorkersLost(f"given up after {lost} losses; the last: {reason}"))
    history.record([job.pk], kind=history.DEAD, reason=reason)
    log.error("job %s is dead: %s", job.pk, reason)


def returned(message_ids: Mapping[str, str]) -> set[str]:
    """Of jobs, by id, whose messages came back: count those that ran beside others, and those lost for the last time.

    Only those whose attempt came with this message are lost: another may have been fetched, and given back, by anybody.
    They are sent again later, or dead: do not claim them now; returns their ids. Call it in the claim's transaction.
    Of all others a loss is noted in their history; the claim counts it.
    """
    known = Job.objects.filter(pk__in=list(message_ids), state=State.RUNNING).exclude(lease=outcomes.REPLACED)
    locked = known.select_for_update().order_by("pk")
    running = [job for job in locked if job.message_id == message_ids[job.pk]]
    due = [job for job in running if job.losses + 1 >= LOSS_LIMIT or (job.message and _shared_worker_of(job))]
    # one that cannot be counted, or ended, is claimed like the others: nobody else would look after it
    counted = [job for job in due if try_to_count(job, reason="its message came back unanswered")]
    others = [job for job in running if job not in counted]
    if others:
        recording.lost(job.queue for job in others)
        history.record([job.pk for job in others], kind=history.LOST, reason="its message came back unanswered")
    return {job.pk for job in counted}


def _shared_worker_of(job: Job) -> Worker | None:
    """The worker that was lost with this job and others; None if it ran alone, or did not run."""
    if job.state != State.RUNNING or job.lease is None:
        return None
    return Worker.objects.select_for_update().filter(pk=job.lease).exclude(pool__in=ONE_JOB_A_PROCESS).first()


def _suspicion_of(worker: Worker) -> int:
    """The most losses of a job that ran in it, as the first to ask finds it: later some run elsewhere."""
    if worker.suspicion is None:
        beside = _held_by(worker).filter(in_states(State.RUNNING))
        worker.suspicion = beside.aggregate(most=Max("losses"))["most"] or 0
        worker.save(update_fields=["suspicion"])
    return worker.suspicion


def _is_alone_suspect(job: Job, worker: Worker) -> bool:
    # those that have come back already keep the lease until somebody else takes them
    return not _held_by(worker).filter(in_states(*OPEN), losses__gte=job.losses).exclude(pk=job.pk).exists()


def _held_by(worker: Worker) -> QuerySet[Job]:
    return Job.objects.filter(queue__in=worker.queues.split(","), lease=worker.pk)


def _delay(job_id: str, *, longest_s: float) -> None:
    due = Now() + timedelta(seconds=random.uniform(0, longest_s))  # noqa: S311  to part them, not to keep a secret
    Job.objects.filter(pk=job_id).update(available_at=due)
    OutboxMessage.objects.filter(job_id=job_id).update(available_at=due)
