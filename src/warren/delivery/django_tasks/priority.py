"""Django's priorities, -100 to 100, as Celery's, 0 to 9."""

from django.tasks.base import DEFAULT_TASK_PRIORITY, TASK_MAX_PRIORITY

LOWEST, HIGHEST = 0, 9
_UPPER_HALF = 5  # RabbitMQ's quorum queues know two priorities: from 5 on a message is high


def to_celery(priority: int) -> int | None:
    """None for Django's default, which is then as urgent as any job that names no priority.

    Above the default is Celery's upper half, below it the lower: what Django calls urgent goes ahead also where
    there are two priorities only (https://www.rabbitmq.com/docs/quorum-queues#priorities).
    """
    if priority == DEFAULT_TASK_PRIORITY:
        return None
    steps = abs(priority) * (HIGHEST - _UPPER_HALF) // TASK_MAX_PRIORITY
    return _UPPER_HALF + steps if priority > DEFAULT_TASK_PRIORITY else _UPPER_HALF - 1 - steps
