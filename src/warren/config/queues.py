"""The queues: one declaration, from which come RabbitMQ's queues, Celery's routes and the start-up checks.

To add a queue: add a line to QUEUES, and a worker service that consumes it (docs/how-to/add-a-queue.md).
"""

from warren.delivery.topology import QueueSpec

DEFAULT_QUEUE = "cpu"

QUEUES = (
    QueueSpec(name="cpu", worker="cpu", purpose="work that burns a core: prefork processes"),
    QueueSpec(name="io", worker="io", purpose="work that waits for others: mail, HTTP; gevent greenlets"),
)
