"""How things stand in the database as a whole, looked up by one process when Prometheus asks.

    who looks       the relay whose session holds a lock; any number of relays may run, and one of them tells
    how often       at most every five seconds, whatever Prometheus does; and when a look takes long, as with a million
                    jobs that wait, more rarely: never for more than a 20th of the time
    how             by six statements over a connection of its own (`figure_metrics.py`)

    it dies               its session ends and the lock with it; another tells at its next look
    Postgres away, slow   a statement ends after three seconds; nothing is told, and that is an alert of its own

Owner: the threads that answer requests, one at a time (`exposition.py` holds a lock).
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import psycopg
from prometheus_client import Metric
from prometheus_client.registry import Collector

from warren.delivery import direct, figure_metrics

LOOK_EVERY_S = 5.0
MOST_OF_THE_TIME = 0.05
LONGEST_STATEMENT_MS = 3000

_ONE_AT_A_TIME = 7_237_003  # any number, the same in every relay

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
        return list(figure_metrics.families().values())

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
            return figure_metrics.asked(connection.cursor()) if self._is_ours else []
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
