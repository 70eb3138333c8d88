"""How each queue stands, as Postgres knows it: the one place that asks.

Who asks picks the questions, each of them one statement:

    metrics        all that is open or dead, and the workers, over a connection that waits for so long and no longer
    command line   that, and what ended lately
    pages          what is open and what ended badly, up to a number of each: whoever looks at a page asks every few
                   seconds, and a long queue must cost them no more than a short one

All are answered through the partial indexes of the jobs; what ended lately costs as much as ended in that time.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from warren.delivery import states
from warren.delivery.leases import LEASE_S

FAILED_WITHIN = timedelta(hours=1)
MEASURED_OVER = timedelta(minutes=5)  # throughput: long enough to be steady, short enough to show what happens now

# Of each queue its open jobs by state, how many of them are due and do not run, and for how long the oldest is.
_OPEN = """
SELECT queue,
       count(*) FILTER (WHERE state = 'accepted') AS accepted,
       count(*) FILTER (WHERE state = 'queued') AS queued,
       count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'retrying') AS retrying,
       count(*) FILTER (WHERE state <> 'running' AND available_at <= statement_timestamp()) AS waiting,
       extract(epoch FROM statement_timestamp() - min(available_at)
               FILTER (WHERE state <> 'running' AND available_at <= statement_timestamp()))::float8 AS oldest_wait_s
FROM ({jobs}) AS job GROUP BY queue
"""
_ALL = "SELECT queue, state, available_at FROM warren_job WHERE finished_at IS NULL"
_SOME = """
SELECT found.* FROM unnest(%(queues)s::text[]) AS queues (name), unnest(%(states)s::text[]) AS states (name), LATERAL (
    SELECT queue, state, available_at FROM warren_job
    WHERE finished_at IS NULL AND queue = queues.name AND state = states.name LIMIT %(most)s
) AS found
"""

_ENDED = """
SELECT queue,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state IN ('succeeded', 'failed', 'dead')
                              AND finished_at > statement_timestamp() - %(measured)s) AS ended
FROM warren_job WHERE finished_at > statement_timestamp() - %(failed)s GROUP BY queue
"""

_ENDED_BADLY = """
SELECT queue, count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'dead') AS dead
FROM (
    SELECT queue, state FROM warren_job WHERE state IN ('failed', 'dead')
    ORDER BY created_at DESC, id DESC LIMIT %(most)s
) AS newest
GROUP BY queue
"""

_DEAD = "SELECT queue, count(*) AS dead FROM warren_job WHERE state = 'dead' GROUP BY queue"

_WORKERS = """
SELECT queue, count(*) AS workers
FROM warren_worker, unnest(string_to_array(queues, ',')) AS queue
WHERE seen_at > statement_timestamp() - %(lease_s)s * interval '1s' GROUP BY queue
"""


class Cursor(Protocol):
    """Of Django's connection or of psycopg's own."""

    def execute(self, query: Any, params: Any, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    @property
    def description(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Question:
    """A statement whose columns are `queue` and some fields of `QueueFigures`."""

    statement: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


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


OPEN = Question(statement=_OPEN.format(jobs=_ALL))
DEAD = Question(statement=_DEAD)
ENDED_LATELY = Question(statement=_ENDED, parameters={"failed": FAILED_WITHIN, "measured": MEASURED_OVER})
WORKERS = Question(statement=_WORKERS, parameters={"lease_s": LEASE_S})


def open_up_to(most: int, *, queues: Sequence[str]) -> Question:
    """Those of these queues, so many of each state: more are counted no further, nor is an older one looked for."""
    parameters = {"queues": list(queues), "states": list(states.OPEN), "most": most}
    return Question(statement=_OPEN.format(jobs=_SOME), parameters=parameters)


def ended_badly_up_to(most: int) -> Question:
    """`failed` and `dead` of the newest so many, whenever they ended."""
    return Question(statement=_ENDED_BADLY, parameters={"most": most})


def by_queue(cursor: Cursor, *questions: Question) -> dict[str, QueueFigures]:
    """Every queue that an answer names. Raises the errors of the cursor's connection."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for question in questions:
        cursor.execute(question.statement, question.parameters)
        fields = [column.name for column in cursor.description][1:]
        for queue, *values in cursor.fetchall():
            found[queue].update(zip(fields, values, strict=True))
    return {queue: QueueFigures(**told) for queue, told in found.items()}
