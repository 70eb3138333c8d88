"""The backend for TASKS: accepts a Django task as a job, in the caller's transaction."""

from typing import Any, override

from celery import current_app
from celery.utils import uuid
from django.core.checks import CheckMessage
from django.tasks import DEFAULT_TASK_QUEUE_NAME, Task, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.exceptions import InvalidTask
from django.tasks.signals import task_enqueued
from django.utils import timezone

from warren.delivery.django_tasks import checks, priority, results
from warren.delivery.django_tasks.enqueued import HEADER, AnyTask, Enqueued
from warren.delivery.django_tasks.execution import AnyResult
from warren.delivery.django_tasks.registry import RegisteredTask


class JobTaskBackend(BaseTaskBackend):
    """Django's tasks as Warren's jobs.

    QUEUES are the queues that its tasks may name, beside Django's "default", which is Celery's default queue. The
    option `transactional` makes each of its tasks commit its database effects together with its outcome.
    """

    task_class = RegisteredTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.queues.add(DEFAULT_TASK_QUEUE_NAME)

    @override
    def validate_task(self, task: AnyTask) -> None:
        """Raise `InvalidTask` for what no worker could run."""
        if task.queue_name not in self.queues:
            raise InvalidTask(
                f"task {task.module_path} names the queue {task.queue_name!r}; "
                f"TASKS[{self.alias!r}] knows {', '.join(sorted(self.queues))}"
            )
        super().validate_task(task)

    @override
    def enqueue[**P, R](self, task: "Task[P, R]", args: Any, kwargs: Any) -> "TaskResult[P, R]":
        """Accept the job; it is sent if and only if the current transaction commits.

        Raises `InvalidTask`, and `TypeError` for arguments that JSON has no form for.
        """
        self.validate_task(task)
        result = _ready(task, args, kwargs)
        celery_task: Any = current_app.tasks[task.module_path]
        celery_task.apply_async(
            args=result.args,
            kwargs=result.kwargs,
            task_id=result.id,
            queue=_queue(task),
            priority=priority.to_celery(task.priority),
            eta=task.run_after,
            headers={HEADER: Enqueued(task=task, at=result.enqueued_at).to_header()},
        )
        task_enqueued.send(type(self), task_result=result)
        return result

    @override
    def get_result(self, result_id: str) -> AnyResult:
        """Raises `TaskResultDoesNotExist`, also for the job of a task that is not Django's."""
        return results.find(result_id)

    @override
    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """What `manage.py check` says of it."""
        return [*super().check(**kwargs), *checks.of(self)]


def _ready[**P, R](task: "Task[P, R]", args: Any, kwargs: Any) -> "TaskResult[P, R]":
    return TaskResult(
        task=task,
        id=uuid(),
        status=TaskResultStatus.READY,
        enqueued_at=timezone.now(),
        started_at=None,
        finished_at=None,
        last_attempted_at=None,
        args=args,
        kwargs=kwargs,
        backend=task.backend,
        errors=[],
        worker_ids=[],
    )


def _queue(task: AnyTask) -> str:
    name = task.queue_name
    return str(current_app.conf.task_default_queue) if name == DEFAULT_TASK_QUEUE_NAME else name
