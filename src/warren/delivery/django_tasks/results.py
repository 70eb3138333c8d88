"""A job's row as Django's `TaskResult`."""

import json
from typing import Any

from celery import current_app
from celery.exceptions import NotRegistered
from django.tasks import TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.exceptions import TaskResultDoesNotExist

from warren.delivery.django_tasks import failures
from warren.delivery.django_tasks.enqueued import HEADER, Enqueued
from warren.delivery.django_tasks.execution import AnyResult, DjangoJobTask, worker_ids
from warren.delivery.models import Job, JobEvent
from warren.delivery.states import FINAL, State

_STATUS = {
    State.ACCEPTED: TaskResultStatus.READY,
    State.QUEUED: TaskResultStatus.READY,
    State.RETRYING: TaskResultStatus.READY,
    State.RUNNING: TaskResultStatus.RUNNING,
    State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    **dict.fromkeys(FINAL - {State.SUCCEEDED}, TaskResultStatus.FAILED),
}


def find(job_id: str) -> AnyResult:
    """The result of a Django task's job. Raises `TaskResultDoesNotExist`, which says why."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise TaskResultDoesNotExist(f"there is no job {job_id}: never committed, or deleted after JOB_RETENTION_DAYS")
    return _of(job, _task(job))


def _task(job: Job) -> DjangoJobTask:
    try:
        task = current_app.tasks[job.task]
    except NotRegistered as exc:
        raise TaskResultDoesNotExist(f"job {job.pk} is of the task {job.task}, which is no more") from exc
    if not isinstance(task, DjangoJobTask):
        raise TaskResultDoesNotExist(f"job {job.pk} is of the Celery task {job.task}: read it with AsyncResult")
    return task


def _of(job: Job, task: DjangoJobTask) -> AnyResult:
    enqueued = Enqueued.from_header(_header(job), declared=task.declared)
    events = list(job.events.all()) if job.attempt else []
    known: list[Job | JobEvent] = [*events, job]
    starts = [each.started_at for each in known if each.started_at]
    status = _STATUS[State(job.state)]
    result: AnyResult = TaskResult(
        task=enqueued.task,
        id=job.pk,
        status=status,
        enqueued_at=enqueued.at or job.created_at,
        started_at=min(starts, default=None),
        finished_at=job.finished_at,
        last_attempted_at=max(starts, default=None),
        args=job.args,
        kwargs=job.kwargs,
        backend=enqueued.task.backend,
        errors=_errors(job, events),
        worker_ids=worker_ids(attempt=job.attempt, known={each.attempt: each.worker for each in known}),
    )
    if status == TaskResultStatus.SUCCESSFUL and job.result is not None:
        object.__setattr__(result, "_return_value", json.loads(job.result))
    return result


def _header(job: Job) -> dict[str, Any] | None:
    return job.envelope.headers.get(HEADER) if job.message else None


def _errors(job: Job, events: list[JobEvent]) -> list[TaskError]:
    """How it ended, each time: before it was retried by hand, and now."""
    ended: list[Job | JobEvent] = [event for event in events if event.kind == JobEvent.Kind.RETRIED]
    if _STATUS[State(job.state)] == TaskResultStatus.FAILED:
        ended.append(job)
    return [failures.of(each) for each in ended]
