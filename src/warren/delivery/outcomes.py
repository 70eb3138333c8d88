"""Storing how attempts ended, guarded by their number: a late result of a lost attempt changes nothing.

An attempt may also end with the job in other hands: `replace()` gives it to a chain or chord, whose last step has the
job's id and its message. Until that is sent the job runs, on no worker: it holds the lease `REPLACED`.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from warren.delivery import pooled, prepared
from warren.delivery.batching.combining import Combiner
from warren.delivery.states import State
from warren.metrics import recording

# One statement for any number of jobs; those that are no longer at this attempt, or no longer running, are left out.
_SUCCEED = """
UPDATE warren_job AS job
SET state = 'succeeded', result = outcome.result, traceback = '', finished_at = now()
FROM unnest(%s::text[], %s::int[], %s::text[]) AS outcome(id, attempt, result)
WHERE job.id = outcome.id AND job.attempt = outcome.attempt AND job.state = 'running'
RETURNING job.id, job.task, job.queue
"""


# of no worker, and never over
REPLACED = UUID(int=0)

_HAND_OVER = "UPDATE warren_job SET lease = %s WHERE id = %s AND attempt = %s AND state = 'running'"


class Success(NamedTuple):
    """The result of one attempt, as JSON."""

    job_id: str
    attempt: int
    result: str


def succeed(success: Success) -> bool:
    """Make one job succeeded; False, and nothing changed, if its attempt is no longer the current one."""
    # the body may hold a connection, and whoever stores the outcomes of all may wait for one
    if pooled.give_back():
        return _together.ask(success)
    return bool(succeed_all([success]))


def hand_over(job_id: str, *, attempt: int) -> None:
    """Leave the job to what replaces it; if that has sent the job's next message already, nothing changes."""
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER, [REPLACED, job_id, attempt])


def succeed_all(successes: Iterable[Success]) -> set[str]:
    """Make the jobs succeeded; returns the ids of those whose attempt was still the current one."""
    # in the order of `claim.take_all`
    columns = [list(column) for column in zip(*sorted(successes), strict=True)]
    with prepared.cursor() as cursor:
        cursor.execute(_SUCCEED, columns)
        rows = cursor.fetchall()
    recording.changed(((task, queue) for _, task, queue in rows), state=State.SUCCEEDED)
    return {row[0] for row in rows}


def _succeed_each(successes: list[Success]) -> list[bool]:
    stored = succeed_all(successes)
    return [success.job_id in stored for success in successes]


# threads and greenlets finish at the same time
_together = Combiner(_succeed_each)
