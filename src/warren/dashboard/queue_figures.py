"""How each queue stands. Counts stop above `wording.MOST`, so that a long queue costs no more than a short one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from warren.dashboard.wording import MOST
from warren.delivery.states import OPEN, State

# Per queue and open state, through the index of open jobs: how many, how many of them are due, since when the oldest.
_OPEN = """
SELECT queues.name, states.name, counted.jobs, counted.due, counted.oldest
FROM unnest(%(queues)s::text[]) AS queues (name), unnest(%(states)s::text[]) AS states (name), LATERAL (
    SELECT count(*) AS jobs,
           count(*) FILTER (WHERE available_at <= statement_timestamp()) AS due,
           min(available_at) FILTER (WHERE available_at <= statement_timestamp()) AS oldest
    FROM (
        SELECT available_at FROM warren_job
        WHERE finished_at IS NULL AND queue = queues.name AND state = states.name LIMIT %(most)s
    ) AS found
) AS counted
"""
# Failed and dead ones, the newest first, through their own index.
_FAILED = """
SELECT queue, state, count(*) FROM (
    SELECT queue, state FROM warren_job WHERE state IN ('failed', 'dead')
    ORDER BY created_at DESC, id DESC LIMIT %(most)s
) AS newest
GROUP BY queue, state
"""


@dataclass(kw_only=True)
class QueueFigures:
    """One queue now. `waiting` are due, `later` are not yet; `at_least`: more wait than were looked at."""

    name: str
    waiting: int = 0
    later: int = 0
    running: int = 0
    failed: int = 0
    dead: int = 0
    longest_wait: timedelta | None = None
    at_least: bool = False
    finished: Sequence[int] = field(default_factory=tuple)

    @property
    def per_minute(self) -> float:
        """The mean of the last whole minutes."""
        recent = self.finished[-6:-1]
        return sum(recent) / len(recent) if recent else 0.0


def of(queues: Sequence[str], *, finished: Mapping[str, Sequence[int]], now: datetime) -> list[QueueFigures]:
    """These queues, in order; two queries. `finished` is what `throughput.finished` gives."""
    figures = {name: QueueFigures(name=name, finished=finished.get(name, ())) for name in queues}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"queues": list(queues), "states": list(OPEN), "most": MOST + 1})
        for name, state, jobs, due, oldest in cursor.fetchall():
            _add(figures[name], state=state, jobs=jobs, due=due, oldest=oldest, now=now)
        cursor.execute(_FAILED, {"most": MOST + 1})
        for name, state, jobs in cursor.fetchall():
            if name in figures:
                setattr(figures[name], state, jobs)
    return list(figures.values())


def _add(queue: QueueFigures, *, state: str, jobs: int, due: int, oldest: datetime | None, now: datetime) -> None:
    if state == State.RUNNING:
        queue.running += jobs
        return
    queue.waiting += due
    queue.later += jobs - due
    queue.at_least = queue.at_least or jobs > MOST
    if oldest is not None:
        queue.longest_wait = max(now - oldest, queue.longest_wait or timedelta())
