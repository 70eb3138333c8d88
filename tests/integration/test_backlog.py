"""A long queue of long jobs: what a worker has fetched and cannot run yet must not go back and forth."""

from tests.integration import batches
from tests.stack import postgres, rabbitmq, waiting
from tests.stack.stack import Stack

PLACES = 100
JOBS = 2 * PLACES + 20
SHORT = 4000
# Longer than a message could go back once a second without being taken for poison, which is five times.
LONG_S = 9

_BLAMED = """
SELECT count(*) FROM warren_job
WHERE (attempt <> 1 OR losses > 0) AND created_at = (SELECT created_at FROM warren_job WHERE id = :'first')
"""
_MOST_AT_ONCE = """
SELECT max(result::int) FROM warren_job WHERE created_at = (SELECT created_at FROM warren_job WHERE id = :'first')
"""


def test_no_job_is_taken_for_poison_when_many_wait_for_a_place(stack: Stack) -> None:
    short = batches.submit(stack, "probe.io.noop", count=SHORT)
    waiting.until(lambda: rabbitmq.held(stack, "io") > PLACES, within_s=60, what="more is fetched than may run")
    first = batches.submit(stack, "probe.io.crowd", count=JOBS, seconds=LONG_S)
    batches.wait(stack, short, count=SHORT, state="succeeded")
    batches.wait(stack, first, count=JOBS, state="succeeded")

    assert postgres.number(stack, _MOST_AT_ONCE, first=first) == PLACES
    assert postgres.number(stack, _BLAMED, first=first) == 0
