"""How many jobs of each queue ended in each of the last minutes.

A minute that is over does not change: each process counts it once and remembers it. So a page that is open, and asks
every few seconds, reads what ended since the last whole minute, however many jobs there are.

    another process counts too   each for itself; the same numbers
    a job is retried by hand     the minute in which it had ended keeps it
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock

from django.db import connection

MINUTES = 30
MINUTE = timedelta(minutes=1)
SETTLED_AFTER = timedelta(seconds=5)  # what ended in a minute may be committed a little later

_COUNT = """
SELECT queue, date_trunc('minute', finished_at), count(*) FROM warren_job
WHERE finished_at >= %(since)s GROUP BY 1, 2
"""

_lock = Lock()
_known: dict[datetime, Counter[str]] = {}


def finished(*, now: datetime) -> Mapping[str, Sequence[int]]:
    """For each queue that ended any the jobs of the last `MINUTES` minutes, the present one last; one query."""
    present = now.replace(second=0, microsecond=0)
    minutes = [present - MINUTE * back for back in reversed(range(MINUTES))]
    since = next(minute for minute in minutes if minute not in _known or minute == present)
    counted = _count(since)
    with _lock:
        for minute in minutes:
            if minute >= since and minute + MINUTE + SETTLED_AFTER <= now:
                _known[minute] = counted.get(minute, Counter())
        for minute in [old for old in _known if old < minutes[0]]:
            del _known[minute]
        told = [_known.get(minute) or counted.get(minute) or Counter() for minute in minutes]
    queues: set[str] = set().union(*told)
    return {queue: [each[queue] for each in told] for queue in queues}


def forget() -> None:
    """Count anew."""
    _known.clear()


def _count(since: datetime) -> dict[datetime, Counter[str]]:
    counted: dict[datetime, Counter[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"since": since})
        for queue, minute, jobs in cursor.fetchall():
            counted.setdefault(minute, Counter())[queue] = jobs
    return counted
