"""Runs a Django task's function as a job, and tells Django's signals.

task_enqueued   sent in the transaction that accepts the job
task_started    sent before the function, once the job is claimed
task_finished   sent after the outcome is stored. Sent by the process that ran the function: a job that ends without
                one (cancelled or expired while it waited, its worker lost, its hard time limit) sends none

A receiver's error is logged and changes nothing of the job.
"""

from functools import cached_property
from inspect import iscoroutinefunction
from typing import Any

from celery.app.trace import build_tracer
from django.tasks import TaskContext, TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.signals import task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json

from warren.delivery.django_tasks import coroutines
from warren.delivery.django_tasks.enqueued import HEADER, AnyTask, Enqueued
from warren.delivery.task import JobTask

type AnyResult = TaskResult[..., Any]


class DjangoJobTask(JobTask):
    """A Celery task whose body is a Django task's function. `declared` is the Django task."""

    abstract = True
    typing = False  # wrong arguments fail in the job, as with Django's own backends
    declared: AnyTask

    @cached_property
    def __trace__(self) -> Any:
        """What runs it for a worker. Celery makes one at the start for each task that it knows by then, and only so."""
        return build_tracer(self.name, self, app=self.app)

    @property
    def transactional(self) -> bool:  # type: ignore[override]  # what the backend of this job says
        """Whether the body commits together with its outcome: an option of the backend."""
        return bool(self._enqueued.task.get_backend().options.get("transactional", False))

    @property
    def _enqueued(self) -> Enqueued:
        return Enqueued.from_header(getattr(self.request, HEADER, None), declared=self.declared)

    def perform(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; returns its value as JSON. Raises `TypeError` for a value that JSON has no form for."""
        result = self._begin_result(args, kwargs)
        given = (TaskContext(task_result=result), *args) if result.task.takes_context else args
        function = result.task.func
        call = coroutines.run if iscoroutinefunction(function) else _call
        value = normalize_json(call(function, *given, **kwargs))
        object.__setattr__(result, "_return_value", value)
        return value

    def on_success(self, *_args: Any, **_kwargs: Any) -> None:
        """Celery calls it when the outcome is stored."""
        self._end_result(TaskResultStatus.SUCCESSFUL)

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ARG002  Celery's
        """Celery calls it when the failure is stored."""
        self._end_result(TaskResultStatus.FAILED, TaskError(exception_class_path=_path(exc), traceback=einfo.traceback))

    def _begin_result(self, args: Any, kwargs: Any) -> AnyResult:
        request: Any = self.request
        now, enqueued, attempt = timezone.now(), self._enqueued, request.get("job_attempt", 1)
        result: AnyResult = TaskResult(
            task=enqueued.task,
            id=request.id,
            status=TaskResultStatus.RUNNING,
            enqueued_at=enqueued.at,
            started_at=now,
            finished_at=None,
            last_attempted_at=now,
            args=list(args),
            kwargs=kwargs,
            backend=enqueued.task.backend,
            errors=[],
            worker_ids=worker_ids(attempt=attempt, known={attempt: request.hostname or ""}),
        )
        request.update(django_result=result)
        task_started.send_robust(type(enqueued.task.get_backend()), task_result=result)
        return result

    def _end_result(self, status: TaskResultStatus, *errors: TaskError) -> None:
        result: AnyResult | None = self.request.get("django_result")
        if result is None:
            return  # it failed before the function was called
        for name, value in {"status": status, "finished_at": timezone.now(), "errors": list(errors)}.items():
            object.__setattr__(result, name, value)
        task_finished.send_robust(type(result.task.get_backend()), task_result=result)


def worker_ids(*, attempt: int, known: dict[int, str]) -> list[str]:
    """One entry for each attempt, because Django counts these; "" where the worker is not known."""
    return [known.get(each, "") for each in range(1, attempt + 1)]


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def _path(exc: BaseException) -> str:
    return f"{type(exc).__module__}.{type(exc).__qualname__}"
