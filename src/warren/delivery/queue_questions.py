"""What may be asked of how queues stand: each question is one statement, answered through an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from warren.delivery import states
from warren.delivery.leases import LEASE_S

FAILED_WITHIN = timedelta(hours=1)
MEASURED_OVER = timedelta(minutes=5)  # throughput: long enough to be steady, short enough to show what happens now

# Of each queue its open jobs by state, how many of them are due and do not run, and for how long the oldest is.
_OPEN = """
SELECT queue,
       coalesce(max(jobs) FILTER (WHERE state = 'accepted'), 0) AS accepted,
       coalesce(max(jobs) FILTER (WHERE state = 'queued'), 0) AS queued,
       coalesce(max(jobs) FILTER (WHERE state = 'running'), 0) AS running,
       coalesce(max(jobs) FILTER (WHERE state = 'retrying'), 0) AS retrying,
       coalesce(sum(due) FILTER (WHERE state <> 'running'), 0)::bigint AS waiting,
       extract(epoch FROM statement_timestamp() - min(oldest)
               FILTER (WHERE state <> 'running'))::float8 AS oldest_wait_s
FROM ({counted}) AS counted GROUP BY queue
"""
# They are counted by queue and state: all, through their index, or so many of each.
_COUNT = """
count(*) AS jobs, count(*) FILTER (WHERE available_at <= statement_timestamp()) AS due,
min(available_at) FILTER (WHERE available_at <= statement_timestamp()) AS oldest
"""
_ALL = "SELECT queue, state, {count} FROM warren_job WHERE finished_at IS NULL GROUP BY queue, state"
_SOME = """
SELECT queues.name AS queue, states.name AS state, counted.*
FROM unnest(%(queues)s::text[]) AS queues (name), unnest(%(states)s::text[]) AS states (name), LATERAL (
    SELECT {count} FROM (
        SELECT available_at FROM warren_job
        WHERE finished_at IS NULL AND queue = queues.name AND state = states.name LIMIT %(most)s
    ) AS found
) AS counted
"""

# Through the index of when jobs ended.
_ENDED = """
SELECT queue,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state IN ('succeeded', 'failed', 'dead')
                              AND finished_at > statement_timestamp() - %(measured)s) AS ended
FROM warren_job WHERE finished_at > statement_timestamp() - %(failed)s GROUP BY queue
"""

# Through the index of what people look for.
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


@dataclass(frozen=True, kw_only=True)
class Question:
    """A statement whose columns are `queue` and some fields of `QueueFigures`."""

    statement: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


OPEN = Question(statement=_OPEN.format(counted=_ALL.format(count=_COUNT)))
DEAD = Question(statement=_DEAD)
ENDED_LATELY = Question(statement=_ENDED, parameters={"failed": FAILED_WITHIN, "measured": MEASURED_OVER})
WORKERS = Question(statement=_WORKERS, parameters={"lease_s": LEASE_S})


def open_up_to(most: int, *, queues: Sequence[str]) -> Question:
    """Those of these queues, so many of each state: more are counted no further, nor is an older one looked for."""
    parameters = {"queues": list(queues), "states": list(states.OPEN), "most": most}
    return Question(statement=_OPEN.format(counted=_SOME.format(count=_COUNT)), parameters=parameters)


def ended_badly_up_to(most: int) -> Question:
    """`failed` and `dead` of the newest so many, whenever they ended."""
    return Question(statement=_ENDED_BADLY, parameters={"most": most})
