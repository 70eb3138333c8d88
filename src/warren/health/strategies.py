"""How a worker treats a message by its task's name, for tasks that it learns of while it runs.

Celery fills its table when the worker starts. A Django task may live in a module that no worker imports at the start;
the registry imports it when it is asked (`delivery/django_tasks/importing.py`), and here it is asked.
"""

from typing import Any

from celery.exceptions import NotRegistered

from warren.delivery.django_tasks.execution import DjangoJobTask


class Strategies(dict[str, Any]):
    """Task name → what to do with a message of it."""

    def __init__(self, consumer: Any) -> None:
        super().__init__()
        self._consumer = consumer

    def __missing__(self, name: str) -> Any:
        """Ask the registry. Raises `NotRegistered`, a `KeyError`, for a task that there is not."""
        consumer = self._consumer
        task = consumer.app.tasks[name]
        if not isinstance(task, DjangoJobTask):  # the pool's other processes could not find it by its name
            raise NotRegistered(name)
        self[name] = task.start_strategy(consumer.app, consumer)
        return self[name]
