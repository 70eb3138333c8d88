"""How each queue stands, as Postgres knows it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from warren.delivery.leases import LEASE_S

FAILED_WITHIN = timedelta(hours=1)
MEASURED_OVER = timedelta(minutes=5)  # throughput: long enough to be steady, short enough to show what happens now

# Through the index of open jobs.
_OPEN = """
SELECT queue,
       count(*) FILTER (WHERE state <> 'running' AND available_at <= statement_timestamp()) AS waiting,
       count(*) FILTER (WHERE state <> 'running' AND available_at > statement_timestamp()) AS due_later,
       count(*) FILTER (WHERE state = 'running') AS running,
       extract(epoch FROM statement_timestamp() - min(available_at)
               FILTER (WHERE state <> 'running' AND available_at <= statement_timestamp()))::float8 AS oldest_wait_s
FROM warren_job WHERE finished_at IS NULL GROUP BY queue
"""

# Through the index of when jobs ended.
_ENDED = """
SELECT queue,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state IN ('succeeded', 'failed', 'dead')
                              AND finished_at > statement_timestamp() - %(measured)s) AS lately
FROM warren_job WHERE finished_at > statement_timestamp() - %(failed)s GROUP BY queue
"""

# Each is noted when it dies, so that not all that ever ended is searched.
_DEAD = """
SELECT job.queue, count(*) AS dead FROM warren_job AS job
WHERE job.state = 'dead' AND job.id IN (SELECT job_id FROM warren_job_event WHERE kind = 'dead')
GROUP BY job.queue
"""

_WORKERS = """
SELECT queue, count(*) AS workers
FROM warren_worker, unnest(string_to_array(queues, ',')) AS queue
WHERE seen_at > statement_timestamp() - %(lease_s)s * interval '1s' GROUP BY queue
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one queue. `failed` in the last hour, `dead` all that were not run again since.

    `oldest_wait_s` is of the job that has been due for the longest, None if none waits; `per_minute` is how many end.
    """

    waiting: int = 0
    due_later: int = 0
    running: int = 0
    oldest_wait_s: float | None = None
    failed: int = 0
    dead: int = 0
    per_minute: float = 0.0
    workers: int = 0


def by_queue() -> dict[str, Figures]:
    """Every queue that has jobs or workers. Raises Django's database errors."""
    found: dict[str, dict[str, Any]] = {}
    parameters: dict[str, Any] = {"failed": FAILED_WITHIN, "measured": MEASURED_OVER, "lease_s": LEASE_S}
    with connection.cursor() as cursor:
        for statement in (_OPEN, _ENDED, _DEAD, _WORKERS):
            cursor.execute(statement, parameters)
            names = [column.name for column in cursor.description]
            for queue, *values in cursor.fetchall():
                found.setdefault(queue, {}).update(zip(names[1:], values, strict=True))
    minutes = MEASURED_OVER / timedelta(minutes=1)
    return {queue: Figures(per_minute=told.pop("lately", 0) / minutes, **told) for queue, told in found.items()}
