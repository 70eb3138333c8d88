"""What RabbitMQ must hold for the declared queues, and how a queue is spelled for it.

Only RabbitMQ's definitions and `manage.py provision` create queues; every other process uses them as they are. So no
worker needs the right to configure, and a typo in a name fails instead of making a queue that nobody reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from celery import Celery
from kombu import Exchange, Queue

DEAD_LETTER_QUEUE = "dead"

HIGHEST_NORMAL_PRIORITY = 4  # of a quorum queue: https://www.rabbitmq.com/docs/quorum-queues#priorities

# Where web and the workers publish what may be lost (`losable.py`). It is bound to the declared queues only, and the
# right to write to it is all they get: the default exchange reaches every queue, and RabbitMQ knows rights by routing
# key for topic exchanges alone.
LOSABLE_EXCHANGE = "losable"

# What the relay may create: an exchange of a random name that starts so. By it, it knows the broker again (`wipe.py`).
MARK_PREFIX = "warren.mark."

# A message that was handed out this often without an answer is set aside. RabbitMQ's own default is 20; a task that
# killed five workers will kill the sixth.
DELIVERY_LIMIT = 5

# Workers are told to stop at each release. WORKER_SOFT_SHUTDOWN_S, 20 as it comes, has some seconds to spare.
DRAIN_S = 15

# More than a worker fetches ahead while jobs are short (64 a process), or its own stock would seem to call for another.
# For jobs of minutes say what a worker runs at once.
MESSAGES_PER_WORKER = 200

# RabbitMQ closes the channel of a consumer that holds a message longer than this. Its default of 30 minutes is
# below what a long task may take; the workers' own time limits are what ends a task.
CONSUMER_TIMEOUT_MS = 24 * 60 * 60 * 1000


# With Redis a message that a worker has fetched is handed out again after this, even if the worker is still at it: so
# it is longer than any task. A worker that stops hands its messages back; what a dead one had is found in Postgres.
REDIS_VISIBILITY_TIMEOUT_S = 24 * 60 * 60
REDIS_SCHEMES = ("redis", "rediss")
REDIS_URGENT, REDIS_NORMAL = 0, 3  # of kombu's four steps; 0 comes first


def is_redis(app: Celery) -> bool:
    """Whether the broker is Redis or Valkey; else it is RabbitMQ."""
    conf: Any = app.conf
    return str(conf.broker_write_url).partition("://")[0] in REDIS_SCHEMES


def redis_priority(priority: int | None) -> int:
    """How Redis spells an AMQP priority; quorum queues know two, and above 4 is the urgent one."""
    return redis_urgency(urgent=(priority or 0) > HIGHEST_NORMAL_PRIORITY)


def redis_urgency(*, urgent: bool) -> int:
    """How Redis spells one of the two."""
    return REDIS_URGENT if urgent else REDIS_NORMAL


@dataclass(frozen=True, kw_only=True)
class QueueSpec:
    """One queue, and the class of worker that consumes it (services/worker, target of that name).

    `max_waiting` jobs may wait for it, 0 is any number; None is what MAX_WAITING_JOBS says. `drain_s` is how long its
    usual jobs need to end once their worker is told to stop: a longer one goes back to the queue and begins anew.
    `messages_per_worker`, waiting and running, are what an autoscaler gives a worker for.
    """

    name: str
    worker: Literal["cpu", "io"]
    purpose: str
    delivery_limit: int = DELIVERY_LIMIT
    max_waiting: int | None = None
    drain_s: int = DRAIN_S
    messages_per_worker: int = MESSAGES_PER_WORKER

    def arguments(self) -> dict[str, Any]:
        """The queue's x-arguments: replicated, bounded in deliveries, dead letters moved at least once.

        https://www.rabbitmq.com/docs/quorum-queues#dead-lettering: at-least-once needs overflow=reject-publish.
        """
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": self.delivery_limit,
            "x-consumer-timeout": CONSUMER_TIMEOUT_MS,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": DEAD_LETTER_QUEUE,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }

    def for_celery(self) -> Queue:
        """The queue as Celery addresses it: through the default exchange, never declared by the client."""
        return Queue(
            self.name,
            Exchange(""),
            routing_key=self.name,
            queue_arguments=self.arguments(),
            no_declare=True,
        )


def declarations(specs: Iterable[QueueSpec]) -> dict[str, dict[str, Any]]:
    """Every queue to create, by name, with its x-arguments; the dead-letter queue included."""
    return {DEAD_LETTER_QUEUE: {"x-queue-type": "quorum"}} | {spec.name: spec.arguments() for spec in specs}
