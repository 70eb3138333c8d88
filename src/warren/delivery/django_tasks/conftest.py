"""What the tests of Django's tasks share: a worker's way of running what was enqueued."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from django.dispatch import Signal
from django.tasks import TaskResult
from django.tasks.signals import task_enqueued, task_finished, task_started

from warren.delivery.conftest import Deliver
from warren.delivery.models import Job

type Work = Callable[..., Any]
type Told = list[tuple[str, str, str]]


@pytest.fixture
def work(app: Celery, deliver: Deliver) -> Work:
    """Runs the job of a result as a worker does that is given its message."""

    def run(result: "TaskResult[..., Any]", **headers: Any) -> Any:
        job = Job.objects.get(pk=result.id)
        return deliver(app.tasks[job.task], job.pk, *job.args, **{**job.envelope.headers, **headers})

    return run


@pytest.fixture
def told() -> Iterator[Told]:
    """What Django's signals told, in order: signal, job, status."""
    signals = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}
    seen: Told = []

    def receiver(signal: Signal, task_result: "TaskResult[..., Any]", **_kwargs: Any) -> None:
        name = next(name for name, each in signals.items() if each is signal)
        seen.append((name, task_result.id, str(task_result.status)))

    for signal in signals.values():
        signal.connect(receiver)
    yield seen
    for signal in signals.values():
        signal.disconnect(receiver)
