"""How each queue stands, as Postgres knows it: the one place that asks.

Who asks picks the questions (`queue_questions.py`):

    metrics        all that is open or dead, and the workers, over a connection that waits for so long and no longer
    command line   that, and what ended lately
    pages          what is open and what ended badly, up to a number of each: whoever looks at a page asks every few
                   seconds, and a long queue must cost them no more than a short one

What ended lately costs as much as ended in that time, so metrics and pages do not ask it.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from warren.delivery.queue_questions import MEASURED_OVER, Question


class Cursor(Protocol):
    """Of Django's connection or of psycopg's own."""

    def execute(self, query: Any, params: Any, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    @property
    def description(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class QueueFigures:
    """Of one queue; what was not asked is 0. `waiting` are due and do not run, `workers` those whose lease holds.

    `oldest_wait_s` is of the job that has been due for the longest, None if none waits. `failed` is of the question's
    time, `dead` all that were not run again since. `ended`: ran to an end in `MEASURED_OVER`.
    """

    accepted: int = 0
    queued: int = 0
    running: int = 0
    retrying: int = 0
    waiting: int = 0
    oldest_wait_s: float | None = None
    failed: int = 0
    dead: int = 0
    ended: int = 0
    workers: int = 0

    @property
    def later(self) -> int:
        return self.accepted + self.queued + self.retrying - self.waiting

    @property
    def per_minute(self) -> float:
        return self.ended / (MEASURED_OVER / timedelta(minutes=1))


def by_queue(cursor: Cursor, *questions: Question) -> dict[str, QueueFigures]:
    """Every queue that an answer names. Raises the errors of the cursor's connection."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for question in questions:
        cursor.execute(question.statement, question.parameters)
        fields = [column.name for column in cursor.description][1:]
        for queue, *values in cursor.fetchall():
            found[queue].update(zip(fields, values, strict=True))
    return {queue: QueueFigures(**told) for queue, told in found.items()}
