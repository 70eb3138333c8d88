"""Warren, as a view of it would be written."""

from datetime import datetime
from typing import Any

import django

django.setup()

from apps.bench import tasks  # noqa: E402  needs Django
from django.db import connection  # noqa: E402  needs Django

from benchmarks.harness.adapter import BULK  # noqa: E402  beside its peers
from warren.delivery import outbox  # noqa: E402  needs Django

TIMEOUT_S = 60

_STORED = """
SELECT count(*), coalesce(sum(result::bigint), 0) FROM warren_job WHERE finished_at >= %s AND state = 'succeeded'
"""


def make() -> "Warren":
    """The adapter of this process."""
    return Warren()


class Warren:
    """See `benchmarks.harness.adapter`."""

    def __init__(self) -> None:
        ((self._since,),) = _ask("SELECT clock_timestamp()")

    def submit_each(self, kind: str, *, numbers: range, seconds: float) -> None:
        task, extra = _task(kind, seconds)
        for number in numbers:
            task.delay(number, *extra)

    def submit_bulk(self, kind: str, *, numbers: range, seconds: float) -> None:
        for start in range(numbers.start, numbers.stop, BULK):
            with outbox.together():
                part = range(start, min(start + BULK, numbers.stop))
                self.submit_each(kind, numbers=part, seconds=seconds)

    def settled(self) -> bool:
        """The relay has nothing left that is due."""
        return _ask("SELECT count(*) FROM warren_outbox WHERE available_at <= now()") == [(0,)]

    def stored(self) -> int:
        return _number(_ask(_STORED, self._since)[0][0])

    def total(self) -> int:
        return _number(_ask(_STORED, self._since)[0][1])

    def call(self, number: int) -> int:
        return int(tasks.echo.delay(number).get(timeout=TIMEOUT_S))


def _task(kind: str, seconds: float) -> tuple[Any, tuple[float, ...]]:
    return getattr(tasks, kind), () if kind == "echo" else (seconds,)


def _ask(statement: str, *values: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _number(value: Any) -> int:
    return int(value)
