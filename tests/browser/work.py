"""Jobs for the pages to show, submitted by the API or inside web."""

from typing import Any
from uuid import uuid4

from tests.stack import django_code
from tests.stack.api import Api
from tests.stack.stack import Stack

LONG_S = 300

_CHAIN = """
from celery import chain, current_app
tasks = current_app.tasks
sent = chain(tasks["probe.cpu.echo"].si(message="one"), tasks["probe.io.sleep"].si(seconds={seconds}),
             tasks["probe.cpu.echo"].si(message="three")).apply_async()
answer = [sent.parent.parent.id, sent.parent.id, sent.id]
"""
_MEND = "from django.contrib.auth.models import Group\nGroup.objects.get_or_create(name={name!r})"
_NAMED = """
from django.utils import timezone
from warren.delivery.models import Job
Job.objects.create(id={job_id!r}, task="probe.cpu.noop", queue="cpu", state="succeeded", finished_at=timezone.now())
"""
_DEAD = """
from django.contrib.auth import get_user_model
from django.utils import timezone
from warren.delivery import history
from warren.delivery.models import Job
job = Job.objects.get(pk={job_id!r})
Job.objects.filter(pk=job.pk).update(state="dead", losses=5, finished_at=timezone.now())
history.record([job.pk], kind=history.DEAD, reason="its workers were lost each time")
"""


def failing(admin: Api) -> tuple[str, str]:
    """A job that has failed for want of something, and the name of what it wants."""
    wanted = f"carrots-{uuid4().hex[:8]}"
    job_id = admin.submit("probe.io.needs", kwargs={"message": wanted})
    admin.wait(job_id, states=("failed",))
    return job_id, wanted


def mend(stack: Stack, name: str) -> None:
    """Make what a failed job wanted."""
    django_code.run(stack, _MEND.format(name=name))


def running(admin: Api) -> str:
    """A job that runs for long."""
    job_id = admin.submit("probe.io.sleep", kwargs={"seconds": LONG_S})
    admin.wait(job_id, states=("running",))
    return job_id


def chained(stack: Stack, *, seconds: float = 3) -> list[str]:
    """Ids of the three jobs of a chain whose second takes a while."""
    ids: Any = django_code.run(stack, _CHAIN.format(seconds=seconds))
    return list(ids)


def dead(stack: Stack, admin: Api) -> str:
    """A job that was given up. It is made so by hand: five lost workers take minutes."""
    job_id, _ = failing(admin)
    django_code.run(stack, _DEAD.format(job_id=job_id))
    return job_id


def named(stack: Stack, job_id: str) -> None:
    """A job with any id, which has ended. It is made so by hand: only foreign producers may name one so."""
    django_code.run(stack, _NAMED.format(job_id=job_id))
