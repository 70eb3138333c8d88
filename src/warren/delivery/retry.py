"""Runs jobs again that ended without success, because a person says so: the only way out of a final state.

the job succeeded, or is open        refused; nothing changes
a late result of a former attempt    changes nothing: the job is not running, then at a later attempt
the job was part of a chain, chord   that goes on when the job succeeds (`unwinding.py`)
two people retry at once             one after the other; the second finds the job open
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.utils import timezone

from warren.delivery import history, outbox, unwinding
from warren.delivery.envelope import restarted
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.delivery.unwinding import Surroundings

RETRYABLE = (State.FAILED, State.DEAD, State.CANCELLED, State.EXPIRED)

NEVER_SENT = (
    "It was never sent: it waits for a job that did not succeed. Retry that one, and this one follows when it succeeds."
)
GONE_ON = "What waits for it was sent without it; submit it anew."
CHORD_FORGOTTEN = "The record of the chord that waits for it is deleted; submit the chord anew."

_ONE_AT_A_TIME = 7_237_003  # any number, the same everywhere


@dataclass(frozen=True)
class Outcome:
    """Ids of the jobs that wait to run again, and of those that do not, each with the reason in a sentence."""

    retried: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def retry(job_ids: Iterable[str], *, by: Actor, reason: str = "") -> Outcome:
    """Put jobs that ended without success back into the outbox, due now; those that cannot be are refused.

    Attempts count on; Celery's own retries and the count of lost workers start anew, and an expiry that has passed no
    longer holds. One transaction:
      1. lock the jobs, and sort out those that cannot run again
      2. lock the chords that wait for the others, and sort out those that a chord has gone on without
      3. record how each job had ended
      4. delete the rows of what was to follow, make the jobs open, count the chords anew
    """
    with transaction.atomic():
        _wait_our_turn()
        wanted = list(dict.fromkeys(job_ids))
        jobs = _locked(wanted)
        refused = {job_id: why for job_id in wanted if (why := refusal(jobs.get(job_id)))}
        around = {job_id: unwinding.around(jobs[job_id].message) for job_id in wanted if job_id not in refused}
        unwinding.lock_chords(_all_chords(around.values()))
        refused |= _left_behind(around)
        retried = [job_id for job_id in wanted if job_id not in refused]
        _run_again([jobs[job_id] for job_id in retried], [around[job_id] for job_id in retried], by=by, reason=reason)
        following = _all_following(around[job_id] for job_id in retried)
    return Outcome(retried, {job_id: why for job_id, why in refused.items() if job_id not in following})


def refusal(job: Job | None) -> str | None:
    """Why this job cannot be retried, as far as its own row tells; None if it can."""
    if job is None:
        return "There is no such job."
    if job.state == State.SUCCEEDED:
        return "It has succeeded; what succeeded is not run again. Submit a new job."
    if not job.is_final:
        return f"It is {job.state}; only a job that has ended can be retried."
    if not job.message:
        return NEVER_SENT
    return None


def _wait_our_turn() -> None:
    """Retries delete rows that other retries may have locked: one at a time, they cannot deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])


def _locked(job_ids: Collection[str]) -> dict[str, Job]:
    rows = Job.objects.select_for_update().filter(pk__in=job_ids).order_by("pk")
    return {job.pk: job for job in rows.defer("arguments", "result", "progress", "traceback")}


def _left_behind(around: dict[str, Surroundings]) -> dict[str, str]:
    sent = unwinding.sent(_all_following(around.values()))
    forgotten = unwinding.forgotten(_all_chords(around.values()))
    gone_on = {job_id: GONE_ON for job_id, each in around.items() if each.following & sent}
    return {job_id: CHORD_FORGOTTEN for job_id, each in around.items() if each.chords & forgotten} | gone_on


def _run_again(jobs: list[Job], around: list[Surroundings], *, by: Actor, reason: str) -> None:
    job_ids = [job.pk for job in jobs]
    history.record(job_ids, kind=history.RETRIED, by=by, reason=reason)
    unwinding.forget_never_sent(_all_following(around))
    now = timezone.now()
    for job in jobs:
        if job.expires_at and job.expires_at <= now:
            job.expires_at = None
        job.losses = 0
        job.message = restarted(job.message, expires=job.expires_at is not None)
    Job.objects.bulk_update(jobs, ["message", "expires_at", "losses"])
    outbox.send_again(job_ids, states=RETRYABLE)
    unwinding.recount(_all_chords(around))


def _all_following(around: Iterable[Surroundings]) -> set[str]:
    return set().union(*(each.following for each in around))


def _all_chords(around: Iterable[Surroundings]) -> set[str]:
    return set().union(*(each.chords for each in around))
