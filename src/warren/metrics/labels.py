"""Values of labels, bounded: each new one is a new series that Prometheus keeps, and a name may come from anywhere."""

from celery import current_app

OTHER = "other"  # for all names that nobody here has declared

_tasks: set[str] = set()


def task(name: str) -> str:
    """The name of a task that this process knows."""
    if name in _tasks:
        return name
    if name in current_app.tasks:
        _tasks.add(name)  # only what is registered, so the set is as bounded as that
        return name
    return OTHER


def queue(name: str) -> str:
    """The name of a declared queue."""
    return name if name in current_app.amqp.queues else OTHER
