"""How things stand in the database as a whole, looked up by one process when Prometheus asks.

    who looks       the relay whose session holds a lock; any number of relays may run, and one of them tells
    how often       at most every five seconds, whatever Prometheus does; and when a look takes long, as with a million
                    jobs that wait, more rarely: never for more than a 20th of the time
    how             by three statements over a connection of its own. The open jobs are read through their partial
                    index, the dead ones through theirs

    it dies               its session ends and the lock with it; another tells at its next look
    Postgres away, slow   a statement ends after three seconds; nothing is told, and that is an alert of its own

Owner: the threads that answer requests, one at a time (`exposition.py` holds a lock).
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import psycopg
from celery import current_app
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from warren.delivery import direct, leases
from warren.delivery.states import OPEN
from warren.metrics import labels

LOOK_EVERY_S = 5.0
MOST_OF_THE_TIME = 0.05
LONGEST_STATEMENT_MS = 3000

_ONE_AT_A_TIME = 7_237_003  # any number, the same in every relay

# Of all jobs that are open: by queue and state how many, and for how long the oldest has been due.
_OPEN_JOBS = """
SELECT queue, state, count(*),
       coalesce(extract(epoch FROM now() - min(available_at) FILTER (WHERE available_at <= now())), 0)::float8
FROM warren_job WHERE finished_at IS NULL
GROUP BY queue, state
"""

_DEAD_JOBS = "SELECT queue, count(*) FROM warren_job WHERE state = 'dead' GROUP BY queue"

_OUTBOX = """
SELECT count(*) FILTER (WHERE available_at <= now()), count(*) FILTER (WHERE available_at > now()),
       coalesce(extract(epoch FROM now() - min(available_at) FILTER (WHERE available_at <= now())), 0)::float8
FROM warren_outbox
"""

_WORKERS = "SELECT queues, seen_at > now() - %(lease_s)s * interval '1s' FROM warren_worker"

type _Connection = psycopg.Connection[tuple[Any, ...]]

log = logging.getLogger(__name__)


class Figures(Collector):
    """Told by whichever relay holds the lock; the others tell nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._connection: _Connection | None = None
        self._known: list[Metric] = []
        self._good_until = float("-inf")
        self._is_ours = False  # the lock, which this session then holds until it ends

    def describe(self) -> list[Metric]:
        """The names, without a look."""
        return list(_families().values())

    def collect(self) -> list[Metric]:
        """As things stood a few seconds ago at most."""
        began_at = self._clock()
        if began_at >= self._good_until:
            self._known = self._look()
            ended_at = self._clock()
            self._good_until = ended_at + max(LOOK_EVERY_S, (ended_at - began_at) / MOST_OF_THE_TIME)
        return self._known

    def close(self) -> None:
        """Let another tell."""
        if self._connection:
            self._connection.close()
        self._connection, self._is_ours = None, False

    def _look(self) -> list[Metric]:
        try:
            connection = self._connection = self._connection or _connect()
            self._is_ours = self._is_ours or _take_lock(connection)
            return _figures(connection) if self._is_ours else []
        except psycopg.Error as exc:
            log.warning("nothing can be told of the database as a whole: %s", exc)
            self.close()
            return []


def _connect() -> _Connection:
    connection = direct.connect("metrics")
    connection.execute(f"SET statement_timeout = {LONGEST_STATEMENT_MS}")
    return connection


def _take_lock(connection: _Connection) -> bool:
    return connection.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME]).fetchall() == [(True,)]


def _figures(connection: _Connection) -> list[Metric]:
    told = _families()
    queues = list(current_app.amqp.queues)
    _tell_jobs(told, connection, queues=queues)
    _tell_outbox(told, connection)
    _tell_workers(told, connection, queues=queues)
    return list(told.values())


def _tell_jobs(told: dict[str, Any], connection: _Connection, *, queues: list[str]) -> None:
    # what no queue and no state has is told too: a series that comes and goes cannot be compared with anything
    jobs = {(queue, str(state)): 0 for queue in queues for state in OPEN}
    oldest_s, dead = dict.fromkeys(queues, 0.0), dict.fromkeys(queues, 0)
    for name, state, count, age_s in connection.execute(_OPEN_JOBS).fetchall():
        queue = labels.queue(name)
        jobs[queue, state] = jobs.get((queue, state), 0) + count
        if state != "running":
            oldest_s[queue] = max(oldest_s.get(queue, 0.0), age_s)
    for name, count in connection.execute(_DEAD_JOBS).fetchall():
        queue = labels.queue(name)
        dead[queue] = dead.get(queue, 0) + count
    for (queue, state), count in jobs.items():
        told["jobs"].add_metric([queue, state], count)
    for queue in oldest_s:
        told["oldest"].add_metric([queue], oldest_s[queue])
    for queue in dead:
        told["dead"].add_metric([queue], dead[queue])


def _tell_outbox(told: dict[str, Any], connection: _Connection) -> None:
    ((due, later, oldest_s),) = connection.execute(_OUTBOX).fetchall()
    told["outbox"].add_metric(["due"], due)
    told["outbox"].add_metric(["later"], later)
    told["outbox_oldest"].add_metric([], oldest_s)


def _tell_workers(told: dict[str, Any], connection: _Connection, *, queues: list[str]) -> None:
    serving = dict.fromkeys(queues, 0)
    lives = {True: 0, False: 0}
    for served, is_alive in connection.execute(_WORKERS, {"lease_s": leases.LEASE_S}).fetchall():
        lives[is_alive] += 1
        for queue in filter(serving.__contains__, served.split(",") if is_alive else ()):
            serving[queue] += 1
    for queue, count in serving.items():
        told["serving"].add_metric([queue], count)
    told["workers"].add_metric(["alive"], lives[True])
    told["workers"].add_metric(["lost"], lives[False])


def _families() -> dict[str, Any]:
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
