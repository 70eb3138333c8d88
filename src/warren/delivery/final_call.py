"""Sends what a job wants when it becomes final (`on_final.py`), whatever way it ends.

It is an outbox of an outbox: the call is a job, written in the transaction that makes the other one final. So it is
accepted exactly once for each end, and a job that is retried by hand ends once more.

Each end passes one of these, and nothing else makes a job final:

    a success                             `task.py`, which then stores it alone, in a transaction
    failed, cancelled, expired, dead      `closing.py`, whoever ends it: worker, relay, web
    the rest of a chain that failed       `closing.py` too, though it was never sent
    the body of a chord that failed       `chords.py`
    a task that replaces itself           none: the step with its id wants what it wanted

    the task to call is gone, or refuses       logged; the job ends all the same
    a losable task (`durable=False`) wants it  it becomes an ordinary job: else there is no end to tell of
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from typing import Any

from celery import current_app, current_task
from celery.canvas import Signature
from django.db import transaction
from kombu.utils.uuid import uuid

from warren.delivery import on_final, ownership, savepoint
from warren.delivery.models import Job
from warren.delivery.on_final import Wanted

_cause: ContextVar[str | None] = ContextVar("warren_final_cause", default=None)


@contextmanager
def because_of(job_id: str) -> Iterator[None]:
    """Whatever else ends in the block ends because this job does: what is told of it belongs to this job's owner."""
    token = _cause.set(job_id)
    try:
        yield
    finally:
        _cause.reset(token)


def transaction_for(request: object) -> AbstractContextManager[Any]:
    """A transaction, if something is to be written together with the job's end."""
    return transaction.atomic() if on_final.wanted_by(request) else nullcontext()


def send(request: object, *, job_id: str) -> None:
    """Send what is wanted, in the transaction in which the job has just become final."""
    _attempt(on_final.wanted_by(request), job_id)


def send_for(never_sent: Signature[Any]) -> None:
    """As `send`, for a signature that will never be sent, and has just been failed."""
    if job_id := never_sent.id:
        _attempt(on_final.of_step(never_sent.options), job_id)


def _attempt(wanted: Wanted | None, job_id: str) -> None:
    if wanted:
        savepoint.attempt(partial(_send, wanted, job_id), what=f"the call at the end of job {job_id}")


def _send(wanted: Wanted, job_id: str) -> None:
    job = Job.objects.only("owner_id", "root_id", "state", "attempt", "finished_at").get(pk=job_id)
    if job.finished_at is None:
        return  # it was not this that ended
    told = {"job_id": job_id, "state": job.state, "attempt": job.attempt, "ended_at": job.finished_at.isoformat()}
    # it follows from the job: no limit on new work refuses it
    lineage: dict[str, Any] = {"root_id": job.root_id or job_id, "parent_id": job_id}
    with ownership.owned_by(job.owner_id or _owner_of_cause()):
        current_app.tasks[wanted["task"]].apply_async(
            kwargs=told,
            task_id=uuid(),
            headers={on_final.VALUE: wanted["value"]},
            add_to_parent=False,
            **lineage,
        )


def _owner_of_cause() -> int | None:
    """By its row, which forgets a user who has left; a job that was never sent has no owner of its own."""
    cause = _cause.get() or (current_task.request.id if current_task else None)
    return Job.objects.filter(pk=cause).values_list("owner_id", flat=True).first() if cause else None
