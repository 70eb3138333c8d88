"""procrastinate, from synchronous code. It stores that a job succeeded, but not what it returned."""

import atexit
from typing import Any

import procrastinate
import psycopg
import tasks

from benchmarks.harness.adapter import BULK

_STORED = """
SELECT count(*), coalesce(sum((args ->> 'number')::bigint), 0) FROM procrastinate_jobs WHERE status = 'succeeded'
"""


def make() -> "Procrastinate":
    """The adapter of this process."""
    return Procrastinate()


class Procrastinate:
    """See `benchmarks.harness.adapter`."""

    def __init__(self) -> None:
        connector = procrastinate.SyncPsycopgConnector(conninfo=tasks.POSTGRES)
        self._app = tasks.app.replace_connector(connector).__enter__()  # for the life of this process
        self._app.open()
        atexit.register(self._app.close)
        self._postgres = psycopg.connect(tasks.POSTGRES, autocommit=True)

    def submit_each(self, kind: str, *, numbers: range, seconds: float) -> None:
        task, extra = self._task(kind, seconds)
        for number in numbers:
            task.defer(number=number, **extra)

    def submit_bulk(self, kind: str, *, numbers: range, seconds: float) -> None:
        task, extra = self._task(kind, seconds)
        for start in range(numbers.start, numbers.stop, BULK):
            part = range(start, min(start + BULK, numbers.stop))
            task.batch_defer(*({"number": number, **extra} for number in part))

    def settled(self) -> bool:
        return True

    def stored(self) -> int:
        return self._ask()[0]

    def total(self) -> int:
        """Of the arguments: there is nothing else to sum."""
        return self._ask()[1]

    def call(self, number: int) -> int:
        raise NotImplementedError

    def _task(self, kind: str, seconds: float) -> tuple[Any, dict[str, float]]:
        return self._app.tasks[kind], {} if kind == "echo" else {"seconds": seconds}

    def _ask(self) -> tuple[int, int]:
        ((count, total),) = self._postgres.execute(_STORED).fetchall()
        return int(count), int(total)
