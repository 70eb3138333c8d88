"""Django tasks among Celery's.

Each is registered when it is declared, under its function's path, such as `apps.billing.tasks.bill`. That is what
Django calls it, in its logs too; as the name of the Celery task it is what the job's row, the API, Flower and a
schedule show and filter by. It cannot clash with a `@shared_task`, whose name is short, and any process can import
it (`importing.py`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import shared_task
from django.tasks import DEFAULT_TASK_QUEUE_NAME, Task

from warren.delivery.django_tasks.enqueued import AnyTask
from warren.delivery.django_tasks.execution import DjangoJobTask

_registered: set[str] = set()


class RegisteredTask(Task):  # type: ignore[type-arg]  # generic only for type checkers
    """What `@task` makes with Warren's backend: Django's task, which is registered with Celery too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.module_path not in _registered:  # `using()` makes more instances of the same task
            _registered.add(self.module_path)
            _register(self)


def _register(task: AnyTask) -> None:
    options: dict[str, Any] = {} if task.queue_name == DEFAULT_TASK_QUEUE_NAME else {"queue": task.queue_name}
    make: Any = shared_task(name=task.module_path, base=DjangoJobTask, bind=True, declared=task, **options)
    make(_body(task))


def _body(task: AnyTask) -> Callable[..., Any]:
    @wraps(task.func)  # Celery takes name, module and documentation from it
    def run(self: DjangoJobTask, *args: Any, **kwargs: Any) -> Any:
        return self.perform(*args, **kwargs)

    return run
