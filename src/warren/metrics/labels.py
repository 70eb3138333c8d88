"""Values of labels, bounded: each new one is a new series that Prometheus keeps, and a name may come from anywhere."""

from celery import current_app

OTHER = "other"  # for all names that nobody here has declared

# what was found declared; as bounded as the declarations
_tasks: set[str] = set()
_queues: set[str] = set()


def task(name: str) -> str:
    """The name of a task that this process knows."""
    if name in _tasks:
        return name
    if name in current_app.tasks:
        _tasks.add(name)
        return name
    return OTHER


def queue(name: str) -> str:
    """The name of a declared queue."""
    if name in _queues:
        return name
    if name in current_app.amqp.queues:
        _queues.add(name)
        return name
    return OTHER
