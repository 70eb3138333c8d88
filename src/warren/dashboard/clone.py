"""Submits a job anew: the same task with the same arguments, as a job of its own.

Of tasks that may be called from outside alone. What else a job's message holds (its place in a chain, what its caller
put into headers) would be missing, and a task that nobody calls with its arguments alone may rely on it.
"""

from django.db import transaction
from django.utils import timezone

from warren.delivery import history, on_final
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.jobs import callable_tasks
from warren.jobs.submit import Submission, submit


def may(job: Job) -> bool:
    """Whether whoever sees the job may: its task declares arguments, so that anybody may call it."""
    return job.task in callable_tasks.names()


def calls_nobody(job: Job) -> bool:
    """Whether somebody is called at the job's end who is not at the clone's.

    That address is its owner's, and the call is signed for them; whoever clones the job may be another, and wants to
    see what it does rather than to tell a receiver of a job that it does not know.
    """
    return on_final.HEADER in job.headers


@transaction.atomic
def clone(job: Job, *, by: int) -> str:
    """Accept the copy, owned by the user `by`; its id. The original's history names it.

    Raises as `submit` does, and `QueueFullError`.
    """
    wanted = Submission(task=job.task, args=job.args, kwargs=job.kwargs, priority=job.priority)
    new_id = str(submit(wanted, owner_id=by, now=timezone.now()).jobs[0].pk)
    history.record([job.pk], kind=history.CLONED, by=Actor(user_id=by), reason=f"as job {new_id}")
    return new_id
