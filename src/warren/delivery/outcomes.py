"""Storing how attempts ended, guarded by their number: a late result of a lost attempt changes nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from warren.delivery.batching.combining import Combiner

# One statement for any number of jobs; those that are no longer at this attempt, or no longer running, are left out.
_SUCCEED = """
UPDATE warren_job AS job
SET state = 'succeeded', result = outcome.result, traceback = '', finished_at = now()
FROM unnest(%s::text[], %s::int[], %s::text[]) AS outcome(id, attempt, result)
WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND job.state = 'running'
RETURNING job.id
"""


class Success(NamedTuple):
    """The result of one attempt, as JSON."""

    job_id: str
    attempt: int
    result: str


def succeed(success: Success) -> bool:
    """Make one job succeeded; False, and nothing changed, if its attempt is no longer the current one."""
    if settings.POOLED and not connection.in_atomic_block:
        return _together.ask(success)
    return bool(succeed_all([success]))


def succeed_all(successes: Iterable[Success]) -> set[str]:
    """Make the jobs succeeded; returns the ids of those whose attempt was still the current one."""
    # in the order of `claim.take_all`
    columns = [list(column) for column in zip(*sorted(successes), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_SUCCEED, columns)
        return {row[0] for row in cursor.fetchall()}


def _succeed_each(successes: list[Success]) -> list[bool]:
    stored = succeed_all(successes)
    return [success.job_id in stored for success in successes]


# threads and greenlets finish at the same time
_together = Combiner(_succeed_each)
