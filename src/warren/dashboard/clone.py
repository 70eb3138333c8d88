"""Submits a job anew: the same task with the same arguments, as a job of its own."""

from typing import Any

from celery import current_app
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.utils import timezone
from kombu.utils.uuid import uuid

from warren.delivery import history
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by
from warren.jobs import callable_tasks
from warren.jobs.submit import Submission, submit


def may(job: Job, *, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this user may: what declares arguments anybody may call; the rest of what the site knows, its staff."""
    task = current_app.tasks.get(job.task)
    if task is None or not getattr(task, "durable", True):
        return False  # what is not durable becomes no job that one could look at
    return job.task in callable_tasks.names() or bool(getattr(user, "is_staff", False))


@transaction.atomic
def clone(job: Job, *, by: int) -> str:
    """Accept the copy, owned by the user `by`; its id. The original's history names it.

    Raises as `submit` does, and `QueueFullError`.
    """
    if job.task in callable_tasks.names():
        wanted = Submission(task=job.task, args=job.args, kwargs=job.kwargs, priority=job.priority)
        new_id = str(submit(wanted, owner_id=by, now=timezone.now()).jobs[0].pk)
    else:
        new_id = uuid()
        task: Any = current_app.tasks[job.task]  # its stubs take no list and no None
        with owned_by(by):
            task.apply_async(job.args, job.kwargs, task_id=new_id, queue=job.queue, priority=job.priority)
    history.record([job.pk], kind=history.CLONED, by=Actor(user_id=by), reason=f"as job {new_id}")
    return new_id
