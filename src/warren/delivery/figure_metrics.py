"""How queues, workers and the outbox stand, as Prometheus reads it."""

from collections.abc import Sequence
from typing import Any

import psycopg
from celery import current_app
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from warren.delivery import leases, outbox_figures, queue_figures, queue_questions
from warren.delivery.queue_figures import QueueFigures
from warren.delivery.states import OPEN
from warren.metrics import labels

_QUESTIONS = (queue_questions.OPEN, queue_questions.DEAD, queue_questions.WORKERS)

_LEASES = """
SELECT count(*) FILTER (WHERE is_alive), count(*) FILTER (WHERE NOT is_alive)
FROM (SELECT seen_at > now() - %(lease_s)s * interval '1s' AS is_alive FROM warren_worker) AS worker
"""

type _Cursor = psycopg.Cursor[tuple[Any, ...]]


def families() -> dict[str, Any]:
    """The names, without numbers."""
    made: tuple[tuple[str, str, str, list[str]], ...] = (
        ("jobs", "warren_queue_jobs", "Jobs that are not final.", ["queue", "state"]),
        ("oldest", "warren_queue_oldest_wait_seconds", "How long the oldest job that waits has been due.", ["queue"]),
        ("dead", "warren_queue_dead_jobs", "Jobs given up on, until retried or deleted.", ["queue"]),
        ("serving", "warren_queue_workers", "Workers with a valid lease that serve the queue.", ["queue"]),
        ("workers", "warren_workers", "Workers by their lease; lost ones are forgotten after a day.", ["lease"]),
        ("outbox", "warren_outbox_messages", "Messages that RabbitMQ has not confirmed.", ["due"]),
        ("outbox_oldest", "warren_outbox_oldest_seconds", "How long the oldest message has been due.", []),
    )
    return {key: GaugeMetricFamily(name, help_text, labels=names) for key, name, help_text, names in made}


def asked(cursor: _Cursor) -> list[Metric]:
    """As things stand now; six statements. Raises `psycopg.Error`."""
    told = families()
    _tell_queues(told, queue_figures.by_queue(cursor, *_QUESTIONS))
    _tell_outbox(told, cursor)
    _tell_workers(told, cursor)
    return list(told.values())


def _tell_queues(told: dict[str, Any], found: dict[str, QueueFigures]) -> None:
    # what a declared queue has none of is told too: a series that comes and goes cannot be compared with anything
    declared = list(current_app.amqp.queues)
    by_label: dict[str, list[QueueFigures]] = {name: [] for name in declared}
    for name, figures in found.items():
        by_label.setdefault(labels.queue(name), []).append(figures)
    for label, those in by_label.items():
        _tell_jobs(told, those, label=label)
        if label in declared:  # that nobody serves the others is no alert
            told["serving"].add_metric([label], sum(figures.workers for figures in those))


def _tell_jobs(told: dict[str, Any], those: Sequence[QueueFigures], *, label: str) -> None:
    for state in OPEN:
        told["jobs"].add_metric([label, str(state)], sum(getattr(figures, state) for figures in those))
    told["oldest"].add_metric([label], max((figures.oldest_wait_s or 0.0 for figures in those), default=0.0))
    told["dead"].add_metric([label], sum(figures.dead for figures in those))


def _tell_outbox(told: dict[str, Any], cursor: _Cursor) -> None:
    due = outbox_figures.due(cursor, most=None)
    told["outbox"].add_metric(["due"], due.count)
    told["outbox"].add_metric(["later"], outbox_figures.later(cursor))
    told["outbox_oldest"].add_metric([], due.oldest_wait_s)


def _tell_workers(told: dict[str, Any], cursor: _Cursor) -> None:
    ((alive, lost),) = cursor.execute(_LEASES, {"lease_s": leases.LEASE_S}).fetchall()
    told["workers"].add_metric(["alive"], alive)
    told["workers"].add_metric(["lost"], lost)
