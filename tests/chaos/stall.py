"""How long nothing of a queue was finished although work for it was waiting."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate

from tests.chaos.entries import JobRow


def longest_s(jobs: Iterable[JobRow], *, until: datetime) -> float:
    """The longest of any queue: one that goes on must not hide another that stands still.

    What is unfinished waits `until` then.
    """
    finished = defaultdict(list)
    for row in jobs:
        finished[row.queue].append((row.finished_at or until, row.created_at))
    return max((_longest_gap_s(sorted(done)) for done in finished.values()), default=0.0)


def _longest_gap_s(done: Sequence[tuple[datetime, datetime]]) -> float:
    """The largest gap between two finishes, counted from when the oldest unfinished job was there to be done."""
    finishes = [finish for finish, _ in done]
    oldest_waiting = list(accumulate((created for _, created in reversed(done)), min))[::-1]
    starts = [oldest_waiting[0], *finishes[:-1]]
    gaps = zip(finishes, starts, oldest_waiting, strict=True)
    return max((finish - max(start, oldest)).total_seconds() for finish, start, oldest in gaps)
