"""What `manage.py check` says of a backend in TASKS."""

from celery import current_app
from django.core.checks import CheckMessage, Error
from django.tasks import DEFAULT_TASK_QUEUE_NAME
from django.tasks.backends.base import BaseTaskBackend

from warren.delivery.amqp import OutboxAMQP
from warren.delivery.results import JobBackend

OPTIONS = {"transactional"}


def of(backend: BaseTaskBackend) -> list[CheckMessage]:
    """Everything that keeps the backend from what it promises."""
    return [*_of_queues(backend), *_of_options(backend), *_of_celery(backend)]


def _of_queues(backend: BaseTaskBackend) -> list[CheckMessage]:
    known = {queue.name for queue in current_app.conf.task_queues or ()}
    unknown = sorted(backend.queues - known - {DEFAULT_TASK_QUEUE_NAME})
    return [
        Error(
            f"TASKS[{backend.alias!r}] names the queue {name!r}, which no worker reads.",
            hint=f"Declared are {', '.join(sorted(known))}, in config/queues.py.",
            id="warren.E001",
        )
        for name in unknown
    ]


def _of_options(backend: BaseTaskBackend) -> list[CheckMessage]:
    hint = f"There is only: {', '.join(sorted(OPTIONS))}."
    found: list[CheckMessage] = [
        Error(f"TASKS[{backend.alias!r}] has the unknown option {name!r}.", hint=hint, id="warren.E002")
        for name in sorted(backend.options.keys() - OPTIONS)
    ]
    if not isinstance(value := backend.options.get("transactional", False), bool):
        found.append(
            Error(f"TASKS[{backend.alias!r}]: transactional is {value!r}, not True or False.", id="warren.E003")
        )
    return found


def _of_celery(backend: BaseTaskBackend) -> list[CheckMessage]:
    parts = ((current_app.amqp, OutboxAMQP), (current_app.backend, JobBackend))
    return [
        Error(
            f"TASKS[{backend.alias!r}] needs Celery with {wanted.__qualname__}; it has {type(part).__qualname__}.",
            hint="config/celery.py makes the app, and config/apps.py loads it.",
            id="warren.E004",
        )
        for part, wanted in parts
        if not isinstance(part, wanted)
    ]
