"""Refuses new work while too many jobs wait for a queue. What was accepted is never refused, nor what follows from it.

Only web admits (`settings.WAITING_LIMITS` is empty elsewhere): whatever a worker, beat or the relay sends follows from
work that was accepted, and so do chains' next steps and callbacks that web itself may send. Waiting are all jobs that
are accepted, queued or retrying, those that are not due yet included.

To count for each submit would cost more than the submit. So each process counts once in a while and adds what it
accepts meanwhile. The limit may thus be passed by what the other web processes accept in that while: with P
processes of at most R jobs/s each, P * R jobs; and a rolled back submit is counted until the next count.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection

from warren.delivery.errors import QueueFullError

COUNT_EVERY_S = 1.0
# a count of 100 000 jobs takes tens of milliseconds; however slow Postgres is, counting stays below a 20th of the time
MOST_OF_THE_TIME = 0.05

# As far as the limit, through the partial index of open jobs.
_COUNT = """
SELECT count(*) FROM (
    SELECT FROM warren_job
    WHERE finished_at IS NULL AND queue = %(queue)s AND state IN ('accepted', 'queued', 'retrying')
    LIMIT %(limit)s
) AS waiting
"""


@dataclass
class _Known:
    """How many jobs wait for a queue, as far as this process knows."""

    waiting: int
    until: float


_known: dict[str, _Known] = {}


def admit(queue: str, *, jobs: int) -> None:
    """Count these jobs in. Raises `QueueFullError` if they do not fit, all of them; then none is counted."""
    limit = settings.WAITING_LIMITS.get(queue, 0)
    if not limit:
        return
    known = _known.get(queue)
    if known is None or time.monotonic() > known.until:
        known = _count(queue, limit=limit)
    if known.waiting + jobs > limit:
        raise QueueFullError(
            f"queue {queue!r} has no room for {jobs} more: {known.waiting} jobs wait, and the limit is {limit}. "
            "Nothing was accepted; try again when some are done."
        )
    known.waiting += jobs


def is_new(headers: Mapping[str, Any]) -> bool:
    """Whether the message is new work, or follows from a job that was accepted."""
    return headers.get("root_id") in (None, headers["id"]) and current_app.current_worker_task is None


def forget() -> None:
    """Count anew at the next submit."""
    _known.clear()


def _count(queue: str, *, limit: int) -> _Known:
    started = time.monotonic()
    if queue in _known:
        _known[queue].until = started + COUNT_EVERY_S  # other threads need not count as well
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"queue": queue, "limit": limit})
        (waiting,) = cursor.fetchone()
    ended = time.monotonic()
    pause_s = max(COUNT_EVERY_S, (ended - started) / MOST_OF_THE_TIME)
    known = _known[queue] = _Known(waiting=waiting, until=ended + pause_s)
    return known
