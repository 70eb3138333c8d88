"""A job's row as Django's `TaskResult`."""

import json
from typing import Any

from celery import current_app
from celery.exceptions import NotRegistered
from django.tasks import TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.exceptions import TaskResultDoesNotExist

from warren.delivery.django_tasks import errors
from warren.delivery.django_tasks.enqueued import HEADER, Enqueued
from warren.delivery.django_tasks.execution import AnyResult, DjangoJobTask, worker_ids
from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

_STATUS = {
    State.ACCEPTED: TaskResultStatus.READY,
    State.QUEUED: TaskResultStatus.READY,
    State.RETRYING: TaskResultStatus.READY,
    State.RUNNING: TaskResultStatus.RUNNING,
    State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    **dict.fromkeys(FINAL - {State.SUCCEEDED}, TaskResultStatus.FAILED),
}

# For endings that no exception of the task brought about.
_ENDINGS = {
    State.CANCELLED: errors.JobCancelledError,
    State.EXPIRED: errors.JobExpiredError,
    State.DEAD: errors.JobLostError,
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
    status = _STATUS[State(job.state)]
    result: AnyResult = TaskResult(
        task=enqueued.task,
        id=job.pk,
        status=status,
        enqueued_at=enqueued.at or job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        last_attempted_at=job.started_at,
        args=job.args,
        kwargs=job.kwargs,
        backend=enqueued.task.backend,
        errors=[_error(job)] if status == TaskResultStatus.FAILED else [],
        worker_ids=worker_ids(attempt=job.attempt, worker=job.worker),
    )
    if status == TaskResultStatus.SUCCESSFUL and job.result is not None:
        object.__setattr__(result, "_return_value", json.loads(job.result))
    return result


def _header(job: Job) -> dict[str, Any] | None:
    return job.envelope.headers.get(HEADER) if job.message else None


def _error(job: Job) -> TaskError:
    stored = json.loads(job.result) if job.result else None
    if stored and job.state in (State.FAILED, State.DEAD):
        path = f"{stored['exc_module']}.{stored['exc_type']}"
        return TaskError(exception_class_path=path, traceback=job.traceback)
    ending = _ENDINGS.get(State(job.state), errors.JobLostError)
    when = f" ({job.finished_at.isoformat()})" if job.finished_at else ""
    path = f"{ending.__module__}.{ending.__qualname__}"
    return TaskError(exception_class_path=path, traceback=job.traceback or f"{path}: {ending()}{when}")
